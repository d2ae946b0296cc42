import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hashPassword, isPasswordHash, verifyPassword } from '../../src/crypto/passwords.ts';
import { createSecretCache } from '../../src/crypto/secret-cache.ts';

const random = { fraction: () => 0, bytes: (count: number) => randomBytes(count) };
const PASSWORD = Buffer.from('corréct horse');

/** RFC 7914, 12: "pleaseletmein" with the salt "SodiumChloride", N = 16384, r = 8, p = 1. */
const OF_RFC =
  '$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw';

/** Invalid hashes, and hashes that cost more than a hub allows. */
const INVALID = [
  '',
  'secret',
  '$scrypt$ln=18,r=8,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA',
  '$scrypt$ln=0,r=8,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA',
  '$scrypt$ln=13,r=9,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA',
  '$scrypt$ln=13,r=8,p=5$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA',
  '$scrypt$ln=13,r=8,p=1$c2FsdHNhbHRzYWx0$c2hvcnQ',
  '$scrypt$ln=13,r=8,p=1$$aGFzaGhhc2hoYXNoaGFzaA',
  '$2b$10$abcdefghijklmnopqrstuv',
];

const passwords = suite('crypto: passwords');

passwords('a hash matches only its own password, and two hashes of the same password differ', async () => {
  const line = await hashPassword(PASSWORD, random);
  assert.match(line, /^\$scrypt\$ln=13,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert.ok(isPasswordHash(line));
  assert.ok(await verifyPassword(PASSWORD, line));
  for (const wrong of ['', 'correct horse', 'corréct horse ', 'corréct hors'])
    assert.not(await verifyPassword(Buffer.from(wrong), line), wrong);
  assert.is.not(line, await hashPassword(PASSWORD, random));
});

passwords('a password hash that another program wrote is verified', async () => {
  assert.ok(await verifyPassword(Buffer.from('pleaseletmein'), OF_RFC));
  assert.not(await verifyPassword(Buffer.from('pleaseletmeout'), OF_RFC));
});

passwords('an invalid or too expensive hash matches no password', async () => {
  for (const line of INVALID) {
    assert.not(isPasswordHash(line), line);
    assert.not(await verifyPassword(PASSWORD, line), line);
  }
});

passwords('a verified password is cached until newer entries replace it in the cache', () => {
  const remembered = createSecretCache(random, 2);
  remembered.add('a', PASSWORD);
  assert.ok(remembered.has('a', PASSWORD));
  assert.not(remembered.has('b', PASSWORD));
  assert.not(remembered.has('a', Buffer.from('other')));
  remembered.add('b', PASSWORD);
  remembered.add('c', PASSWORD);
  assert.equal(
    ['a', 'b', 'c'].map(label => remembered.has(label, PASSWORD)),
    [false, true, true],
  );
});

passwords.run();
