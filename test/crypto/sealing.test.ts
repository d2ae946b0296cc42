import fc from 'fast-check';
import nacl from 'tweetnacl';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { keyPairOf, newKeyPair } from '../../src/crypto/keys.ts';
import { openSealed, sealSecret } from '../../src/crypto/sealing.ts';
import { given, random, sentenceOf } from '../harness/crypto.ts';

/** Key pair of Bob in RFC 7748, 6.1. */
const SECRET_KEY = Buffer.from('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb', 'hex');
const PUBLIC_KEY = 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f';

/** Ephemeral key and nonce of the secret that libsodium sealed for Bob. */
const EPHEMERAL = Buffer.from('77076d0a7318a57d3c16c17251b266454cdf0e7bd5a0f5a3d6d6d7f7e1f1e1f1', 'hex');
const NONCE = Buffer.from('69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37', 'hex');
const OF_LIBSODIUM =
  'sealed:2zI+6q6Wp1371Hoc1g3i8maX7WXTryjMH9ju6Nm9hEFpaW7pVbYrc81ivah1/HPWghngA2t6CzdTdWRfl8W1IAQtaIosrYAhKzf4DAvXSdj4dUx+D1HAuIq8Dr6TFnt51QgUpuoK';
const SECRET = Buffer.from('corréct horse');

const device = await keyPairOf('x25519', SECRET_KEY);

const refused = (sealed: string): Promise<string> =>
  sentenceOf('secret.unopened', () => openSealed(sealed, device, 'modules.m.secrets.PASSWORD'));

const sealing = suite('crypto: sealed secrets');

sealing('`keyPairOf` derives the X25519 public key of the RFC 7748 example from its secret key', () => {
  assert.is(device.publicKey.toString('hex'), PUBLIC_KEY);
});

sealing('a secret that libsodium sealed is decrypted, and sealing it gives the same bytes', async () => {
  assert.equal(await openSealed(OF_LIBSODIUM, device, 'x'), SECRET);
  assert.is(await sealSecret(SECRET, device.publicKey, given(EPHEMERAL, NONCE)), OF_LIBSODIUM);
});

sealing('a sealed random secret decrypts to the same bytes', async () => {
  const secrets = fc.uint8Array({ maxLength: 400 }).map(bytes => Buffer.from(bytes));
  await fc.assert(
    fc.asyncProperty(secrets, async secret => {
      const sealed = await sealSecret(secret, device.publicKey, random);
      assert.match(sealed, /^sealed:[A-Za-z0-9+/]+=*$/);
      assert.equal(await openSealed(sealed, device, 'x'), secret);
      assert.is.not(sealed, await sealSecret(secret, device.publicKey, random));
    }),
    { numRuns: 30 },
  );
  const longest = Buffer.alloc(16_384, 'x');
  assert.equal(await openSealed(await sealSecret(longest, device.publicKey, random), device, 'x'), longest);
});

sealing(
  'a secret that is invalid or sealed for another device is refused with one error that names the field',
  async () => {
    const stranger = await newKeyPair('x25519', random);
    const bytes = Buffer.from(OF_LIBSODIUM.slice(7), 'base64');
    const changed = Array.from(bytes, (byte, index) => {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(byte ^ 1, index);
      return `sealed:${copy.toString('base64')}`;
    });
    const cut = [0, 1, 32, 55, 56, 71, 72, 88, bytes.length - 1];
    const sentences = new Set<string>();
    for (const sealed of [
      await sealSecret(SECRET, stranger.publicKey, random),
      ...changed,
      ...cut.map(length => `sealed:${bytes.subarray(0, length).toString('base64')}`),
      '',
      'sealed:',
      OF_LIBSODIUM.slice(7),
      `${OF_LIBSODIUM}\n`,
      `${OF_LIBSODIUM}AAAA`,
      `sealed:${'A'.repeat(1_000_000)}`,
    ]) {
      sentences.add(await refused(sealed));
    }
    assert.equal(
      [...sentences],
      [
        'modules.m.secrets.PASSWORD cannot be decrypted with this device\'s key: seal it again, with "skerry seal" and this device\'s "keys/device.pub".',
      ],
    );
  },
);

sealing('a NaCl box that another program has made is refused as a sealed secret', async () => {
  const { publicKey, secretKey } = nacl.box.keyPair.fromSecretKey(EPHEMERAL);
  const box = nacl.box(SECRET, NONCE, device.publicKey, secretKey);
  await refused(`sealed:${Buffer.concat([publicKey, NONCE, box]).toString('base64')}`);
});

sealing.run();
