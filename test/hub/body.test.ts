import { Encoder } from 'cbor-x';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Message, PLAIN } from '../../src/core/message.ts';
import { MAX_CBOR_VALUES, MAX_ROUTED_BODY_BYTES } from '../../src/hub/limits.ts';
import { decodeBody } from '../../src/hub/routing/body-decoder.ts';
import { decodeCbor } from '../../src/hub/routing/cbor-decoder.ts';

const encoder = new Encoder({ useRecords: false, mapsAsObjects: true });
const bodies = suite('hub: decoding of bodies');

function bodyOf(body: Buffer, contentType?: string, encoding?: string): unknown {
  const message: Message = {
    ...PLAIN,
    topic: 'a',
    body,
    qos: 0,
    origin: { kind: 'client', client: 'c' },
    contentType,
  };
  return decodeBody(message, encoding);
}

/** Encodes a text of the Basic Multilingual Plane as UTF-32. */
function utf32(text: string, bigEndian = false): Buffer {
  const bytes = Buffer.alloc(text.length * 4);
  Array.from(text, (_, at) => {
    const code = text.charCodeAt(at);
    return bigEndian ? bytes.writeUInt32BE(code, at * 4) : bytes.writeUInt32LE(code, at * 4);
  });
  return bytes;
}

const TEXT = '{"a":"Ä"}';
const VALUE = { a: 'Ä' };

const ENCODED: readonly (readonly [string, Buffer, string | undefined])[] = [
  ['UTF-8 by default', Buffer.from(TEXT), undefined],
  ['UTF-8 with an upper-case name', Buffer.from(TEXT), 'UTF-8'],
  ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${TEXT}`), 'utf-8'],
  ['UTF-16, little-endian by default', Buffer.from(TEXT, 'utf16le'), 'utf-16'],
  ['UTF-16 with a byte order mark', Buffer.from(`\ufeff${TEXT}`, 'utf16le'), 'UTF-16'],
  ['UTF-16, big-endian by its byte order mark', Buffer.from(`\ufeff${TEXT}`, 'utf16le').swap16(), 'utf-16'],
  ['UTF-16BE', Buffer.from(TEXT, 'utf16le').swap16(), 'utf-16be'],
  ['UTF-32', utf32(TEXT), 'utf-32'],
  ['UTF-32, big-endian by its byte order mark', utf32(`\ufeff${TEXT}`, true), 'utf-32'],
  ['UTF-32BE', utf32(TEXT, true), 'utf-32be'],
];

for (const [what, bytes, encoding] of ENCODED) {
  bodies(`a JSON body in ${what} is decoded`, () =>
    assert.equal(bodyOf(bytes, 'application/json', encoding), VALUE),
  );
}

const WRONG: readonly (readonly [string, Buffer, string | undefined, string | undefined])[] = [
  ['a body that is not JSON', Buffer.from('{"a":'), undefined, undefined],
  ['an empty body', Buffer.alloc(0), undefined, undefined],
  ['a body that is not UTF-8', Buffer.from([0x22, 0xff, 0x22]), undefined, undefined],
  ['a body in an unknown encoding', Buffer.from(TEXT), undefined, 'latin1'],
  ['a UTF-16 body declared as UTF-8', Buffer.from(TEXT, 'utf16le'), undefined, 'utf-8'],
  ['a lone surrogate in UTF-16', Buffer.from('"\ud800"', 'utf16le'), undefined, 'utf-16'],
  ['a UTF-32 body whose length is not a multiple of four', utf32(TEXT).subarray(1), undefined, 'utf-32'],
  ['an invalid code point in UTF-32', Buffer.from([0, 0, 0x11, 0xff]), undefined, 'utf-32'],
  ['a JSON body declared as CBOR', Buffer.from(TEXT), 'application/cbor', undefined],
  ['a CBOR body declared as JSON', encoder.encode(VALUE), 'application/json', undefined],
  ['a JSON body with too many levels', Buffer.from('['.repeat(500_000)), undefined, undefined],
  [
    'a body above the maximum size',
    Buffer.from(`"${'x'.repeat(MAX_ROUTED_BODY_BYTES)}"`),
    undefined,
    undefined,
  ],
];

for (const [what, bytes, type, encoding] of WRONG) {
  bodies(`the decoded value of ${what} is undefined`, () =>
    assert.is(bodyOf(bytes, type, encoding), undefined),
  );
}

bodies('a CBOR body is recognised by its content type in any case and with parameters', () => {
  for (const type of ['application/cbor', 'Application/CBOR; v=1', 'application/senml+cbor']) {
    assert.equal({ ...Object(bodyOf(encoder.encode(VALUE), type)) }, VALUE, type);
  }
});

bodies('a CBOR body from another encoder is decoded to the same value as the equivalent JSON', () => {
  const json = fc.jsonValue({ maxDepth: 5 });
  const property = fc.property(json, value => {
    const decoded = bodyOf(encoder.encode(value), 'application/cbor');
    assert.equal(JSON.parse(JSON.stringify(decoded)), JSON.parse(JSON.stringify(value)));
  });
  fc.assert(property, { numRuns: 2000 });
});

bodies('a CBOR body with changed bytes is decoded as a value or undefined and never throws', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 });
  const property = fc.property(fc.jsonValue({ maxDepth: 4 }), changes, (value, changed) => {
    const bytes = Buffer.from(encoder.encode(value));
    for (const [at, byte] of changed) bytes[at % bytes.length] = byte;
    bodyOf(bytes, 'application/cbor');
  });
  fc.assert(property, { numRuns: 20_000 });
});

/** CBOR in hexadecimal with its value (RFC 8949, appendix A). */
const ITEMS: readonly (readonly [string, unknown])[] = [
  ['00', 0],
  ['1bffffffffffffffff', 2 ** 64],
  ['3903e7', -1000],
  ['3bffffffffffffffff', -(2 ** 64)],
  ['f93e00', 1.5],
  ['f97bff', 65504],
  ['f90001', 2 ** -24],
  ['f9c400', -4],
  ['f97c00', Number.POSITIVE_INFINITY],
  ['fa47c35000', 100000],
  ['fbc010666666666666', -4.1],
  ['f4', false],
  ['f5', true],
  ['f6', null],
  ['f7', undefined],
  ['f0', undefined],
  ['4401020304', undefined],
  ['c11a514b67b0', undefined],
  ['62c3bc', 'ü'],
  ['7f657374726561646d696e67ff', 'streaming'],
  ['83010203', [1, 2, 3]],
  ['9f018202039f0405ffff', [1, [2, 3], [4, 5]]],
];

for (const [hex, value] of ITEMS) {
  bodies(`the CBOR item ${hex} is decoded to the value that RFC 8949 gives`, () =>
    assert.equal(decodeCbor(Buffer.from(hex, 'hex')), value),
  );
}

const MALFORMED = [
  '',
  '18',
  '1c',
  '62c3',
  '62c328',
  '5f01ff',
  '7f4100ff',
  '9f01',
  'ff',
  '0000',
  '9bffffffffffffffff',
  'f8',
];

for (const hex of MALFORMED) {
  bodies(`the CBOR item ${hex || 'of no bytes'} is refused as not well-formed`, () => {
    assert.throws(() => decodeCbor(Buffer.from(hex, 'hex')), RangeError);
  });
}

bodies('a CBOR body with more than the maximum number of levels is refused', () => {
  assert.throws(() => decodeCbor(Buffer.alloc(100_000, 0x81)), RangeError);
  assert.throws(() => decodeCbor(Buffer.alloc(100_000, 0xc1)), RangeError);
});

bodies('a CBOR body with more than the maximum number of values is refused', () => {
  const list = (count: number, one: number): Buffer =>
    Buffer.concat([Buffer.from([0x9f]), Buffer.alloc(count, one), Buffer.from([0xff])]);
  assert.is(Object(decodeCbor(list(MAX_CBOR_VALUES - 1, 0xa0))).length, MAX_CBOR_VALUES - 1);
  for (const one of [0x00, 0x60, 0x80, 0xa0])
    assert.throws(() => decodeCbor(list(MAX_CBOR_VALUES, one)), RangeError);
  const [text, bytes] = [list(1_000_000, 0x60), list(1_000_000, 0x40)];
  text[0] = 0x7f;
  bytes[0] = 0x5f;
  assert.is(decodeCbor(text), '');
  assert.is(decodeCbor(bytes), undefined);
  const letters = Buffer.concat([
    Buffer.from([0x7f]),
    Buffer.from('61c361bc'.repeat(1000), 'hex'),
    Buffer.from([0xff]),
  ]);
  assert.is(decodeCbor(letters), 'ü'.repeat(1000));
});

bodies('the key __proto__ of a CBOR map is decoded as an ordinary key', () => {
  const decoded = decodeCbor(encoder.encode(JSON.parse('{"__proto__":{"x":1}}')));
  assert.equal(Object.keys(Object(decoded)), ['__proto__']);
  assert.is(Object(decoded).x, undefined);
});

bodies('the last of two entries with the same key in a CBOR map is used', () => {
  const decoded = decodeCbor(Buffer.from('a361610161610201186f', 'hex'));
  assert.equal({ ...Object(decoded) }, { a: 2, 1: 111 });
});

bodies.run();
