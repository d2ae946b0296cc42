import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { devicePublicFile, openDeviceKey } from '../../src/crypto/key-files/device-key.ts';
import { readKeyPair, readPublicKey } from '../../src/crypto/key-files/key-file.ts';
import { createKeyFiles } from '../../src/crypto/key-files/key-pair-files.ts';
import { readTrustedKey, trustedKeys, trustKey } from '../../src/crypto/key-files/trusted-keys.ts';
import { newKeyPair } from '../../src/crypto/keys.ts';
import { openSealed, sealSecret } from '../../src/crypto/sealing.ts';
import { random, sentenceOf } from '../harness/crypto.ts';

const pair = await newKeyPair('ed25519', random);
const PUBLIC = `skerry-public-key ed25519 ${pair.publicKey.toString('base64')}`;
const SECRET = `skerry-secret-key ed25519 ${pair.secretKey.toString('base64')}`;

type Context = { folder: string };

const files = suite<Context>('crypto: key files', { folder: '' });

files.before.each(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'skerry-keys-'));
});

files.after.each(({ folder }) => rmSync(folder, { recursive: true }));

function modeOf(file: string): number {
  return statSync(file).mode & 0o777;
}

/** Writes a key file with the mode of a secret key. */
function write(folder: string, name: string, text: string, mode = 0o600): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

files(
  'a key pair is written to a public and a secret file, and only the owner can read the secret file',
  async ({ folder }) => {
    const before = process.umask(0);
    const name = join(folder, 'alice');
    const { secretFile, publicFile } = createKeyFiles(name, pair, random);
    process.umask(before);
    assert.equal([secretFile, publicFile], [`${name}.key`, `${name}.pub`]);
    assert.equal(readdirSync(folder).sort(), ['alice.key', 'alice.pub']);
    assert.equal([modeOf(secretFile), modeOf(publicFile)], [0o600, 0o644]);
    assert.is(readFileSync(secretFile, 'utf8'), `${SECRET}\n`);
    assert.is(readFileSync(publicFile, 'utf8'), `${PUBLIC} alice\n`);
    assert.equal(await readKeyPair(secretFile, 'ed25519'), pair);
    assert.equal(readPublicKey(publicFile, 'ed25519'), { bytes: pair.publicKey, comment: 'alice' });
  },
);

files('`createKeyFiles` writes both key files or none, and overwrites no file', async ({ folder }) => {
  for (const [there, absent] of [
    ['a.key', 'a.pub'],
    ['a.pub', 'a.key'],
  ] as const) {
    write(folder, there, 'precious');
    const sentence = await sentenceOf('key.exists', () => createKeyFiles(join(folder, 'a'), pair, random));
    assert.ok(sentence.includes(`${there} exists already`), sentence);
    assert.is(readFileSync(join(folder, there), 'utf8'), 'precious');
    assert.equal(readdirSync(folder), [there]);
    assert.not(existsSync(join(folder, absent)));
    rmSync(join(folder, there));
  }
  const nowhere = join(folder, 'nowhere', 'a');
  assert.match(
    await sentenceOf('key.unwritable', () => createKeyFiles(nowhere, pair, random)),
    /cannot be written: /,
  );
});

files('a secret key file that other users may read or write is refused', async ({ folder }) => {
  for (const mode of [0o640, 0o604, 0o620, 0o644, 0o666]) {
    const file = write(folder, 'a.key', SECRET, mode);
    const sentence = await sentenceOf('key.exposed', () => readKeyPair(file, 'ed25519'));
    assert.ok(sentence.includes(`(mode 0${mode.toString(8)})`) && sentence.includes('chmod 600'), sentence);
  }
  for (const mode of [0o600, 0o400])
    assert.equal(await readKeyPair(write(folder, 'a.key', SECRET, mode), 'ed25519'), pair);
});

files('a public key file may have a comment and a CRLF line end', ({ folder }) => {
  for (const [text, comment] of [
    [PUBLIC, ''],
    [`${PUBLIC}\r\n`, ''],
    [`${PUBLIC} Alice of Maintenance, 2026\n`, 'Alice of Maintenance, 2026'],
  ] as const)
    assert.is(readPublicKey(write(folder, 'a.pub', text), 'ed25519').comment, comment);
});

files(
  'a key file without a key or with a key of another kind is refused without showing its content',
  async ({ folder }) => {
    const base64 = pair.secretKey.toString('base64');
    const box = await newKeyPair('x25519', random);
    const texts: readonly (readonly [string, RegExp])[] = [
      ['', /is not a Skerry key/],
      [SECRET.slice(0, -1), /is not a Skerry key/],
      [SECRET.replace(/.=$/, '/='), /is not a Skerry key/],
      [`${SECRET} comment`, /is not a Skerry key/],
      [`${SECRET}\n\n`, /is not a Skerry key/],
      [`${SECRET}\n${SECRET}\n`, /is not a Skerry key/],
      [` ${SECRET}`, /is not a Skerry key/],
      [SECRET.replace('ed25519', 'rsa'), /is not a Skerry key/],
      [`${SECRET}${' '.repeat(2000)}`, /is too long for a key/],
      [PUBLIC, /is a public key: name the secret one/],
      [
        `skerry-secret-key x25519 ${box.secretKey.toString('base64')}`,
        /a key for signatures: .*keygen.* is needed/,
      ],
    ];
    for (const [text, expected] of texts) {
      const sentence = await sentenceOf('key.damaged', () =>
        readKeyPair(write(folder, 'a.key', text), 'ed25519'),
      );
      assert.match(sentence, expected);
      assert.not(sentence.includes(base64.slice(0, 20)), sentence);
    }
    const secret = write(folder, 'a.pub', SECRET);
    const sentence = await sentenceOf('key.damaged', () => readPublicKey(secret, 'ed25519'));
    assert.match(sentence, /a\.pub is a secret key: name the public one/);
    const ours = write(folder, 'b.pub', PUBLIC);
    assert.match(
      await sentenceOf('key.damaged', () => readPublicKey(ours, 'x25519')),
      /key for sealing: .*device\.pub/,
    );
  },
);

files(
  'a key file that is missing, a folder or a named pipe is refused with the reason',
  async ({ folder }) => {
    assert.is(spawnSync('mkfifo', [join(folder, 'pipe')]).status, 0);
    for (const [name, reason] of [
      ['nowhere', /nowhere cannot be read: no such file \(ENOENT\)\.$/],
      ['.', /cannot be read: it is not a regular file\.$/],
      ['pipe', /cannot be read: it is not a regular file\.$/],
    ] as const)
      assert.match(
        await sentenceOf('key.unreadable', () => readPublicKey(join(folder, name), 'ed25519')),
        reason,
      );
  },
);

files('a device creates its key pair once and decrypts secrets with the key pair', async ({ folder }) => {
  const data = join(folder, 'data');
  const key = await openDeviceKey(data, random);
  const keys = join(data, 'keys');
  assert.equal(readdirSync(keys).sort(), ['device.key', 'device.pub']);
  assert.equal([modeOf(keys), modeOf(join(keys, 'device.key'))], [0o700, 0o600]);
  assert.equal(await openDeviceKey(data, random), key);
  const { bytes } = readPublicKey(devicePublicFile(data), 'x25519');
  const sealed = await sealSecret(Buffer.from('secret'), bytes, random);
  assert.is((await openSealed(sealed, await openDeviceKey(data, random), 'x')).toString(), 'secret');
});

files('two simultaneous requests for the device key return the same key', async ({ folder }) => {
  const [one, two] = await Promise.all([openDeviceKey(folder, random), openDeviceKey(folder, random)]);
  assert.equal(one, two);
});

files(
  'a damaged public key of a device is written again, but a damaged secret key is never replaced',
  async ({ folder }) => {
    const key = await openDeviceKey(folder, random);
    const secretFile = join(folder, 'keys', 'device.key');
    const text = readFileSync(secretFile, 'utf8');
    for (const publicText of ['', 'skerry-public-key x25519']) {
      writeFileSync(devicePublicFile(folder), publicText);
      assert.equal(await openDeviceKey(folder, random), key);
      assert.equal(readPublicKey(devicePublicFile(folder), 'x25519').bytes, key.publicKey);
    }
    chmodSync(secretFile, 0o644);
    await sentenceOf('key.exposed', () => openDeviceKey(folder, random));
    writeFileSync(secretFile, text.slice(0, 40));
    chmodSync(secretFile, 0o600);
    await sentenceOf('key.damaged', () => openDeviceKey(folder, random));
    assert.is(readFileSync(secretFile, 'utf8'), text.slice(0, 40));
    rmSync(secretFile);
    const gone = await sentenceOf('key.unreadable', () => openDeviceKey(folder, random));
    assert.match(gone, /device\.key is missing, .* restore it, or remove .*device\.pub to create a new key/);
    assert.not(existsSync(secretFile));
  },
);

files('a trusted key gets the name of its file and is stored only once', async ({ folder }) => {
  assert.equal(trustedKeys(folder), []);
  const alice = write(folder, 'alice.pub', `${PUBLIC} of Alice\n`);
  const key = { name: 'alice', bytes: pair.publicKey, comment: 'of Alice' };
  assert.equal(trustKey(folder, readTrustedKey(alice), random), key);
  assert.equal(trustKey(folder, readTrustedKey(write(folder, 'again.pub', PUBLIC)), random), key);
  assert.equal(trustedKeys(folder), [key]);
  const other = await newKeyPair('ed25519', random);
  const text = `skerry-public-key ed25519 ${other.publicKey.toString('base64')}\n`;
  await sentenceOf('key.exists', () =>
    trustKey(folder, readTrustedKey(write(folder, 'alice.pub', text)), random),
  );
  const odd = write(folder, 'a b.pub', text);
  assert.match(await sentenceOf('key.unreadable', () => readTrustedKey(odd)), /rename the file/);
  trustKey(folder, readTrustedKey(write(folder, 'bob.pub', text)), random);
  assert.equal(
    trustedKeys(folder).map(({ name }) => name),
    ['alice', 'bob'],
  );
});

files('a damaged file of a trusted key is an error and is not skipped', async ({ folder }) => {
  trustKey(folder, readTrustedKey(write(folder, 'alice.pub', PUBLIC)), random);
  const trusted = join(folder, 'keys', 'trusted');
  for (const text of ['', PUBLIC.slice(0, -2), SECRET, PUBLIC.replace('ed25519', 'x25519')]) {
    writeFileSync(join(trusted, 'bob.pub'), text);
    assert.match(await sentenceOf('key.damaged', () => trustedKeys(folder)), /trusted\/bob\.pub is/);
  }
  rmSync(join(trusted, 'bob.pub'));
  mkdirSync(join(trusted, 'bob.pub'));
  await sentenceOf('key.unreadable', () => trustedKeys(folder));
  rmSync(trusted, { recursive: true });
  writeFileSync(trusted, '');
  assert.match(await sentenceOf('key.unreadable', () => trustedKeys(folder)), /The folder .* cannot be read/);
});

files('a folder with more than 64 trusted keys is refused', async ({ folder }) => {
  const trusted = join(folder, 'keys', 'trusted');
  mkdirSync(trusted, { recursive: true });
  for (let number = 0; number < 64; number++) writeFileSync(join(trusted, `${number}.pub`), PUBLIC);
  assert.is(trustedKeys(folder).length, 64);
  const other = await newKeyPair('ed25519', random);
  createKeyFiles(join(folder, 'bob'), other, random);
  await sentenceOf('key.too-many', () => trustKey(folder, readTrustedKey(join(folder, 'bob.pub')), random));
  writeFileSync(join(trusted, '64.pub'), PUBLIC);
  await sentenceOf('key.too-many', () => trustedKeys(folder));
});

files.run();
