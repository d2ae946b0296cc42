import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseFormat } from '../../src/cli/commands/clients/format.ts';
import { Failure } from '../../src/core/errors.ts';
import type { Publish } from '../../src/mqtt/read-publish.ts';

const MESSAGE: Publish = {
  cmd: 'publish',
  topic: 'a/b',
  payload: Buffer.from('{"x":1}'),
  qos: 1,
  dup: false,
  retain: true,
  messageId: 7,
  properties: {
    payloadFormat: 1,
    messageExpiry: 60,
    topicAlias: undefined,
    responseTopic: 'r/t',
    correlation: Buffer.from('abc'),
    userProperties: ['k', 'v', 'k', 'w', 'l', ''],
    subscriptionIds: [],
    contentType: 'json',
  },
};

const TIME = new Date('2026-03-04T05:06:07.089Z');

const text = (format: string, message = MESSAGE): string => parseFormat(format)(message, TIME).toString();

const formats = suite('cli: format of skerry sub -F');

formats('each field of the format prints its message property, or nothing if the property is absent', () => {
  assert.is(text('%t|%p|%l|%q|%r|%m|%x|%X'), 'a/b|{"x":1}|7|1|1|7|7b2278223a317d|7B2278223A317D');
  assert.is(text('%C|%D|%E|%F|%R|%P|%A|%S'), 'json|abc|60|1|r/t|k:v k:w l:||');
  assert.is(text('%C|%P', { ...MESSAGE, properties: undefined }), '|');
});

formats('a payload that is not UTF-8 is printed byte for byte', () => {
  const payload = Buffer.from([0xff, 0x00, 0x0a]);
  assert.equal(parseFormat('%p')({ ...MESSAGE, payload }, TIME), payload);
});

formats('a field of a format is padded to its width and cut to its precision', () => {
  assert.is(text('%8t|%-8t|%08l|%5.2t|%.3p|%2t'), '     a/b|a/b     |00000007|   a/|{"x|a/b');
});

formats(
  'the escape sequences, `%%` and `@@` of a format are printed as the characters that they stand for',
  () => {
    assert.is(text('\\t\\n\\\\\\0\\e%%@@ é'), '\t\n\\\0\x1b%@ é');
  },
);

formats('a time is printed as local time with its offset', () => {
  const offset = text('@z');
  assert.match(offset, /^[+-]\d{4}$/);
  assert.is(text('@Y-@m-@dT@H:@M:@S@z'), text('%I'));
  assert.is(text('@FT@T@z'), text('%I'));
  assert.is(new Date(text('%I')).getTime(), Date.parse('2026-03-04T05:06:07Z'));
  assert.is(text('%U'), '1772600767.089000000');
  assert.is(text('@s'), '1772600767');
});

formats('%j prints a message as JSON with a string as payload, %J with a JSON value as payload', () => {
  const all = JSON.parse(text('%J'));
  assert.equal(all, {
    tst: '2026-03-04T05:06:07.089Z',
    topic: 'a/b',
    qos: 1,
    retain: 1,
    payloadlen: 7,
    mid: 7,
    properties: {
      'payload-format-indicator': 1,
      'message-expiry-interval': 60,
      'content-type': 'json',
      'response-topic': 'r/t',
      'correlation-data': 'abc',
      'user-properties': { k: ['v', 'w'], l: '' },
    },
    payload: { x: 1 },
  });
  assert.is(JSON.parse(text('%j')).payload, '{"x":1}');
  assert.is(JSON.parse(text('%J', { ...MESSAGE, payload: Buffer.from('no JSON') })).payload, 'no JSON');
});

formats(
  'a format with an unknown field, an unknown escape or too large a width is refused with the valid values',
  () => {
    for (const [format, sentence] of [
      ['%y', /-F: "%y" is not one of %A %C/],
      ['%', /-F: "%" is not one of/],
      ['a\\y', /-F: "\\y" is not one of \\0 /],
      ['\\', /-F: "\\" is not one of/],
      ['@q', /-F: "@q" is not one of @@ /],
      ['%10001t', /-F: a width is at most 10000/],
      ['%999999t', /-F: "%9" is not one of/],
    ] as const)
      assert.throws(
        () => parseFormat(format),
        (thrown: unknown) => thrown instanceof Failure && sentence.test(thrown.message),
        format,
      );
  },
);

formats.run();
