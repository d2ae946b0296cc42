import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../../src/core/errors.ts';
import { MAX_USER_PROPERTIES } from '../../../src/core/limits.ts';
import { ackOfLine, messageOfLine } from '../../../src/hub/modules/lines/from-module.ts';

const lines = suite('hub: lines from a module');

/** Levels that exhaust the stack of a recursive parser. */
const DEEP = 200_000;

/** Line with its output, body and properties. */
const LINES: readonly (readonly [string, string, string, readonly string[]])[] = [
  ['hello', 'out', 'hello', []],
  ['{"a":1}', 'out', '{"a":1}', []],
  ['{"output":"temp","body":{"c":1}}', 'temp', '{"c":1}', []],
  ['{"body":21.5,"output":"temp"}', 'temp', '21.5', []],
  ['{"output":"temp","body":"warm"}', 'temp', 'warm', []],
  [
    '{"output":"t","body":1,"properties":{"unit":"C","n":2,"ok":true,"no":{}}}',
    't',
    '1',
    ['unit', 'C', 'n', '2', 'ok', 'true'],
  ],
  [
    '{"output":"t","body":1,"properties":{"b":1724442618569203714,"1":1.0,"b":"again","0":1e400,"none":null}}',
    't',
    '1',
    ['b', '1724442618569203714', '1', '1.0', 'b', 'again', '0', '1e400'],
  ],
  ['{"output":"a","body":1,"output":"b","body":2}', 'b', '2', []],
  ['{"output":5,"body":1}', 'out', '{"output":5,"body":1}', []],
  ['{"output":"temp"}', 'out', '{"output":"temp"}', []],
  ['{"output":"temp","body":', 'out', '{"output":"temp","body":', []],
  ['{"output":"temp","body":1}{}', 'out', '{"output":"temp","body":1}{}', []],
  ['', 'out', '', []],
];

lines('a line of a module that names no output becomes the body of a message on the output "out"', () => {
  for (const [line, output, body, properties] of LINES) {
    const message = messageOfLine('m', Buffer.from(line));
    assert.is(message.topic, `modules/m/outputs/${output}`, line);
    assert.is(message.body.toString(), body, line);
    assert.equal(message.properties, properties, line);
    assert.equal(message.origin, { kind: 'module', module: 'm', output }, line);
    assert.is(message.qos, 1);
  }
});

/** Bodies that a parser would change, in Latin-1. */
const BODIES = [
  '1724442618569203714',
  '1.0',
  '-0',
  '1e400',
  '1E+2',
  '0.1000',
  '{"b":1,"a":2,"b":3,"10":4,"9":5}',
  '{ "a" : [ 1 , 2 ] }',
  '{"__proto__":{"a":1}}',
  '{"s":"\\u00e9\\/\\ud800"}',
  '{"s":"\xff\xfe\xc3"}',
  '[]',
  'null',
  `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`,
  '['.repeat(DEEP) + ']'.repeat(DEEP),
];

lines('the JSON body of a message has exactly the bytes that the line of the module contains', () => {
  for (const body of BODIES) {
    const line = Buffer.from(`{"output":"o","body":  ${body} ,"properties":{}}`, 'latin1');
    const { topic, body: bytes } = messageOfLine('m', line);
    assert.is(topic, 'modules/m/outputs/o', body.slice(0, 40));
    assert.is(bytes.toString('latin1'), body, body.slice(0, 40));
  }
});

lines('a message whose JSON body in the line is a string has the bytes of the text without quotes', () => {
  const bodyOf = (body: string): Buffer =>
    messageOfLine('m', Buffer.from(`{"output":"o","body":${body}}`, 'latin1')).body;
  assert.is(bodyOf('"\\"warm\\"\\n\\u00e9"').toString(), '"warm"\né');
  assert.equal(bodyOf('"\xff\\u0000\xc3"'), Buffer.from([0xff, 0x00, 0xc3]));
});

lines('a message from a line with a base64 body has the decoded bytes', () => {
  const bodyOf = (body: string): Buffer =>
    messageOfLine('m', Buffer.from(`{"output":"o","body":${body},"encoding":"base64"}`)).body;
  assert.equal(bodyOf('"//4K"'), Buffer.from([0xff, 0xfe, 0x0a]));
  assert.equal(bodyOf('"\\/w=="'), Buffer.from([0xff]));
  assert.equal(bodyOf('""'), Buffer.alloc(0));
  for (const body of ['"a"', '"====" ', '"-_-_"', '1', '{}'])
    assert.throws(() => bodyOf(body), /"body" must be/);
});

lines('a line of a module can set the content type of its message', () => {
  const typed = (type: unknown): string | undefined =>
    messageOfLine('m', Buffer.from(JSON.stringify({ output: 't', body: 1, contentType: type }))).contentType;
  assert.is(typed('application/json'), 'application/json');
  assert.is(typed(5), undefined);
  assert.is(typed('x'.repeat(300)), 'x'.repeat(300));
  assert.is(messageOfLine('m', Buffer.from('{"contentType":"a/b"}')).contentType, undefined);
});

lines('a line of a module that is not UTF-8 becomes a message with unchanged bytes', () => {
  const line = Buffer.from([0xff, 0xfe, 0x7b]);
  assert.equal(messageOfLine('m', line).body, line);
});

const LONG = 'x'.repeat(65_536);

/** Members of a line in Latin-1, and the field that the error names. */
const REFUSED: readonly (readonly [string, string])[] = [
  ['"output":"a/b","body":1', '"output"'],
  ['"output":"#","body":1', '"output"'],
  ['"output":"a+","body":1', '"output"'],
  ['"output":"","body":1', '"output"'],
  [`"output":"${'o'.repeat(129)}","body":1`, '"output"'],
  ['"output":"a\\u0000","body":1', '"output"'],
  ['"output":"a\\u0001","body":1', '"output"'],
  ['"output":"a\x7f","body":1', '"output"'],
  ['"output":"a\\u0085","body":1', '"output"'],
  ['"output":"a\\ufffe","body":1', '"output"'],
  ['"output":"a\xff","body":1', '"output"'],
  [`"output":"o","body":1,"contentType":"${LONG}"`, '"contentType"'],
  ['"output":"o","body":1,"contentType":"a\\nb"', '"contentType"'],
  [`"output":"o","body":1,"properties":{"k":"${LONG}"}`, '"properties.k"'],
  [`"output":"o","body":1,"properties":{"k":${'1'.repeat(65_536)}}`, '"properties.k"'],
  [`"output":"o","body":1,"properties":{"${LONG}":1}`, 'a name in "properties"'],
  ['"output":"o","body":1,"properties":{"k":"\\u0000"}', '"properties.k"'],
  [
    `"output":"o","body":1,"properties":{${'"k":1,'.repeat(MAX_USER_PROPERTIES)}"k":1}`,
    '"properties" may have 1024 members.',
  ],
  ['"output":"o","body":1,"properties":{"k":"\xff"}', '"properties.k"'],
  ['"output":"o","body":1,"properties":{"\\u0007":1}', 'a name in "properties"'],
];

lines('a line with a value above the limits of MQTT is refused with an error that names the field', () => {
  for (const [members, field] of REFUSED) {
    const refusal = refusalOf(Buffer.from(`{${members}}`, 'latin1'));
    assert.is(refusal?.code, 'line.refused', members.slice(0, 60));
    assert.ok(refusal?.message.startsWith(field), refusal?.message);
    assert.ok((refusal?.message ?? '').length < 200);
  }
  const longest = 'x'.repeat(65_535);
  const line = `{"output":"o","body":1,"contentType":"${longest}","properties":{"${longest}":"${longest}"}}`;
  assert.is(refusalOf(Buffer.from(line)), undefined);
});

function refusalOf(line: Buffer): Failure | undefined {
  try {
    messageOfLine('m', line);
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

lines('a line is an acknowledgement only if it is an object with a number "ack" as its single member', () => {
  assert.is(ackOfLine(Buffer.from('{"ack":12}')), 12);
  assert.is(ackOfLine(Buffer.from('{ "ack": 12 }')), 12);
  for (const other of [
    '{"ack":"12"}',
    '{"ack":[12]}',
    '{"ack":null}',
    '{"ack":12,"body":1}',
    '{"back":12}',
    '"ack"',
    '{"ack":',
    '{"ack":1}}',
    `{"ack":1${' '.repeat(99)}}`,
  ]) {
    assert.is(ackOfLine(Buffer.from(other)), undefined, other);
  }
});

lines.run();
