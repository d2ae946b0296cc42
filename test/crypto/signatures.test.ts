import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { keyPairOf, newKeyPair } from '../../src/crypto/keys.ts';
import {
  manifestDigest,
  signManifest,
  type TrustedKey,
  verifyManifest,
} from '../../src/crypto/signatures.ts';
import { random, sentenceOf } from '../harness/crypto.ts';

/** RFC 8032, 7.1, test 1. */
const SEED = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
const PUBLIC = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';

const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

const pair = await keyPairOf('ed25519', SEED);
const other = await newKeyPair('ed25519', random);
const trusted: TrustedKey[] = [{ name: 'ours', bytes: pair.publicKey, comment: '' }];

const manifest = {
  name: 'a',
  serial: 7,
  modules: { m: { exec: ['./m'], env: { TEMPERATURE: '4.5', Ö: '€' } } },
};
const signed = await signManifest(manifest, pair, 'm.json');
const value = Buffer.from(signed.signature.value, 'base64');

/** Returns a copy of the signed manifest as if read from a file, with changed fields. */
function copyWith(change: Record<string, unknown>): Record<string, unknown> {
  return { ...JSON.parse(JSON.stringify(signed)), ...change };
}

function withValue(bytes: Buffer): Record<string, unknown> {
  return copyWith({ signature: { ...signed.signature, value: bytes.toString('base64') } });
}

const wrong = (changed: unknown): Promise<string> =>
  sentenceOf('signature.wrong', () => verifyManifest(changed, trusted, 'm.json'));

const signatures = suite('crypto: signatures');

signatures('`keyPairOf` derives the Ed25519 public key of the RFC 8032 example from its seed', () => {
  assert.is(pair.publicKey.toString('hex'), PUBLIC);
  assert.is(signed.signature.key, pair.publicKey.toString('base64'));
});

signatures('a signature of a manifest equals the Ed25519 signature that Node computes', () => {
  const text = '{"modules":{"m":{"env":{"TEMPERATURE":"4.5","Ö":"€"},"exec":["./m"]}},"name":"a","serial":7}';
  const digest = createHash('sha512').update(`skerry manifest 1\n${text}`).digest();
  assert.equal(manifestDigest(signed, 'm.json'), digest);
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: pair.publicKey.toString('base64url') };
  const secret = createPrivateKey({ key: { ...jwk, d: SEED.toString('base64url') }, format: 'jwk' });
  assert.equal(value, sign(null, digest, secret));
  assert.ok(verify(null, digest, createPublicKey({ key: jwk, format: 'jwk' }), value));
});

signatures(
  'a signed manifest has the values of the original and the signature as its last field',
  async () => {
    assert.is((await verifyManifest(copyWith({}), trusted, 'm.json')).name, 'ours');
    const { signature: _, ...rest } = signed;
    assert.equal(rest, manifest);
    assert.is(Object.keys(signed).at(-1), 'signature');
  },
);

signatures(
  'a signature is valid for any order of fields, and invalid after any change of a value',
  async () => {
    const turned = Object.fromEntries(Object.entries(signed).reverse());
    assert.is((await verifyManifest(turned, trusted, 'm.json')).name, 'ours');
    const changes: readonly Record<string, unknown>[] = [
      { name: 'b' },
      { serial: 8 },
      { modules: {} },
      { routes: {} },
      { modules: { m: { exec: ['./m'], env: { TEMPERATURE: '4.5', Ö: '€ ' } } } },
      JSON.parse('{"__proto__":{"name":"b"}}'),
    ];
    for (const change of changes)
      assert.match(await wrong(copyWith(change)), /changed after it was signed.*m\.json/);
  },
);

signatures('a signature with a flipped bit is refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(value.length * 8 - 1), async bit => {
      const turned = Buffer.from(value);
      turned.writeUInt8(turned.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      await wrong(withValue(turned));
    }),
    { numRuns: 64 },
  );
});

signatures('an Ed25519 signature is refused if the group order was added to its second half', async () => {
  const half = BigInt(`0x${Buffer.from(value.subarray(32).toReversed()).toString('hex')}`) + ORDER;
  const bytes = Buffer.from(half.toString(16).padStart(64, '0'), 'hex').reverse();
  await wrong(withValue(Buffer.concat([value.subarray(0, 32), bytes])));
});

signatures('a signature of an untrusted key is refused, also with the name of a trusted key', async () => {
  const theirs = await signManifest(manifest, other, 'm.json');
  const unknown = (changed: unknown, keys: readonly TrustedKey[]) =>
    sentenceOf('signature.unknown-key', () => verifyManifest(changed, keys, 'm.json'));
  assert.match(await unknown(theirs, trusted), /^signature\.key is not a key that this device trusts/);
  await unknown(signed, []);
  await wrong({ ...theirs, signature: { ...theirs.signature, key: signed.signature.key } });
  await wrong({ ...signed, signature: { ...theirs.signature, key: signed.signature.key } });
  const again = await signManifest(theirs, pair, 'm.json');
  assert.equal(again, signed);
  const both = [...trusted, { name: 'theirs', bytes: other.publicKey, comment: '' }];
  assert.is((await verifyManifest(theirs, both, 'm.json')).name, 'theirs');
});

signatures('a manifest without a signature or with an invalid one is refused', async () => {
  for (const nothing of [manifest, {}, [], null, 'text', 7, undefined]) {
    const sentence = await sentenceOf('signature.missing', () => verifyManifest(nothing, trusted, 'm.json'));
    assert.match(sentence, /^signature is missing: .*"skerry sign" \(in m\.json\)\.$/);
  }
  const { key, value: text } = signed.signature;
  for (const signature of [
    null,
    7,
    [],
    {},
    { key },
    { value: text },
    { key: 1, value: text },
    { key, value: 1 },
  ])
    await wrong(copyWith({ signature }));
  for (const changed of ['', text.slice(0, -4), `${text}AAAA`, `${text}\n`, text.replace(/=+$/, '')])
    await wrong(copyWith({ signature: { key, value: changed } }));
});

signatures.run();
