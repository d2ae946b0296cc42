import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ackOfLine, lineOfMessage, messageOfLine, taskLine } from '../../src/hub/lines.ts';

const lines = suite('hub: lines');

/** Line, output, body, properties. */
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
  ['{"output":"a/b","body":1}', 'out', '{"output":"a/b","body":1}', []],
  ['{"output":"#","body":1}', 'out', '{"output":"#","body":1}', []],
  ['{"output":5,"body":1}', 'out', '{"output":5,"body":1}', []],
  ['{"output":"temp"}', 'out', '{"output":"temp"}', []],
  ['{"output":"temp","body":', 'out', '{"output":"temp","body":', []],
  ['', 'out', '', []],
];

lines('a line names its output, or it is the body of a message on output out', () => {
  for (const [line, output, body, properties] of LINES) {
    const message = messageOfLine('m', Buffer.from(line));
    assert.is(message.topic, `modules/m/outputs/${output}`, line);
    assert.is(message.body.toString(), body, line);
    assert.equal(message.properties, properties, line);
    assert.equal(message.origin, { kind: 'module', module: 'm', output }, line);
    assert.is(message.qos, 1);
  }
});

lines('a line may say what its body is', () => {
  const typed = (type: unknown): string | undefined =>
    messageOfLine('m', Buffer.from(JSON.stringify({ output: 't', body: 1, contentType: type }))).contentType;
  assert.is(typed('application/json'), 'application/json');
  assert.is(typed(5), undefined);
  assert.is(typed('x'.repeat(300)), undefined);
  assert.is(messageOfLine('m', Buffer.from('{"contentType":"a/b"}')).contentType, undefined);
});

lines('bytes that are no UTF-8 stay as they are', () => {
  const line = Buffer.from([0xff, 0xfe, 0x7b]);
  assert.equal(messageOfLine('m', line).body, line);
});

lines('a message is one line for its reader, whatever its body holds', () => {
  const read = (body: string): string =>
    lineOfMessage({ ...messageOfLine('m', Buffer.alloc(0)), body: Buffer.from(body) }).toString();
  assert.is(read('plain'), 'plain');
  assert.is(read('{\n  "a": 1\n}'), '{"a":1}');
  assert.is(read('two\nlines'), '"two\\nlines"');
  fc.assert(fc.property(fc.string(), body => !read(body).includes('\n')));
});

lines('a task has a number, the input and all that the message says', () => {
  const message = messageOfLine('m', Buffer.from('{"output":"t","body":{"c":1},"properties":{"unit":"C"}}'));
  assert.is(
    taskLine(7, 'in', message).toString(),
    '{"id":7,"input":"in","body":{"c":1},"properties":{"unit":"C"}}',
  );
  const text = { ...message, body: Buffer.from('two\nlines'), properties: [], contentType: 'text/plain' };
  assert.is(
    taskLine(8, 'in', text).toString(),
    '{"id":8,"input":"in","body":"two\\nlines","contentType":"text/plain"}',
  );
});

lines('an acknowledgement is that and nothing else', () => {
  assert.is(ackOfLine(Buffer.from('{"ack":12}')), 12);
  assert.is(ackOfLine(Buffer.from('{ "ack": 12 }')), 12);
  for (const other of [
    '{"ack":"12"}',
    '{"ack":12,"body":1}',
    '{"back":12}',
    '"ack"',
    '{"ack":',
    `{"ack":1${' '.repeat(99)}}`,
  ]) {
    assert.is(ackOfLine(Buffer.from(other)), undefined, other);
  }
});

lines.run();
