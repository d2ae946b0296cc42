import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { messageOfLine } from '../../../src/hub/modules/lines/from-module.ts';
import { lineOfMessage, taskLine } from '../../../src/hub/modules/lines/to-module.ts';

const lines = suite('hub: lines for a module');

/** Levels that exhaust the stack of a recursive parser. */
const DEEP = 200_000;

const EMPTY = messageOfLine('m', Buffer.alloc(0));

/** JSON bodies that a parser would change. */
const BODIES = [
  '1724442618569203714',
  '1.0',
  '-0',
  '1e400',
  '{"b":1,"a":2,"b":3,"10":4,"9":5}',
  '{ "a" : [ 1 , 2 ] }',
  '{"s":"\\u00e9\\/\\ud800é"}',
  '"text"',
  'null',
  `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`,
  '['.repeat(DEEP) + ']'.repeat(DEEP),
];

lines('a message is encoded as one line, whatever its body contains', () => {
  const read = (body: Buffer): Buffer => lineOfMessage({ ...EMPTY, body });
  for (const body of [...BODIES, 'plain', '', 'a\rb\r', '\ufeff{}']) {
    assert.equal(read(Buffer.from(body)), Buffer.from(body), body.slice(0, 40));
  }
  assert.is(read(Buffer.from('{\r\n\t"a": 1.0\n}')).toString(), '{  \t"a": 1.0 }');
  assert.is(read(Buffer.from('two\nlines')).toString(), '"two\\nlines"');
  assert.equal(read(Buffer.from([0xff, 0x0a])), Buffer.from([0x22, 0xff, 0x5c, 0x6e, 0x22]));
  fc.assert(fc.property(fc.uint8Array(), body => !read(Buffer.from(body)).includes(0x0a)));
});

lines('a line that a module must acknowledge contains the unchanged bytes of a JSON body', () => {
  for (const body of BODIES) {
    const line = taskLine(1, 'in', { ...EMPTY, body: Buffer.from(body) });
    assert.is(line.toString(), `{"id":1,"input":"in","body":${body}}`, body.slice(0, 40));
  }
  const pretty = taskLine(1, 'in', { ...EMPTY, body: Buffer.from('{\r\n"a": 1.0\n}') });
  assert.is(pretty.toString(), '{"id":1,"input":"in","body":{  "a": 1.0 }}');
});

lines(
  'a line that a module must acknowledge contains identifier, input, body, properties and content type',
  () => {
    const message = messageOfLine(
      'm',
      Buffer.from('{"output":"t","body":{"c":1},"properties":{"unit":"C"}}'),
    );
    assert.is(
      taskLine(7, 'in', message).toString(),
      '{"id":7,"input":"in","body":{"c":1},"properties":{"unit":"C"}}',
    );
    const text = { ...message, body: Buffer.from('two\nlines'), properties: [], contentType: 'text/plain' };
    assert.is(
      taskLine(8, 'in', text).toString(),
      '{"id":8,"input":"in","body":"two\\nlines","contentType":"text/plain"}',
    );
    const repeated = { ...message, properties: ['b', '"', '1', 'x', 'b', 'again'] };
    assert.is(
      taskLine(9, 'in', repeated).toString(),
      '{"id":9,"input":"in","body":{"c":1},"properties":{"b":"\\"","1":"x","b":"again"}}',
    );
  },
);

lines('a line that a module must acknowledge is valid JSON, whatever the bytes of its body', () => {
  const bodies = fc.oneof(fc.uint8Array(), fc.string(), fc.json());
  fc.assert(
    fc.property(bodies, content => {
      const body = Buffer.from(content);
      const line = taskLine(1, 'in', { ...EMPTY, body });
      assert.not(line.includes(0x0a));
      const task: unknown = JSON.parse(line.toString());
      assert.ok(typeof task === 'object' && task !== null && 'body' in task);
      if ('encoding' in task) assert.equal(Buffer.from(String(task.body), 'base64'), body);
      else if (!isJson(body)) assert.is(task.body, body.toString());
    }),
    { numRuns: 500 },
  );
  const bytes = taskLine(1, 'in', { ...EMPTY, body: Buffer.from([0xff, 0xfe, 0x0a]) });
  assert.is(bytes.toString(), '{"id":1,"input":"in","body":"//4K","encoding":"base64"}');
  const almost = taskLine(1, 'in', { ...EMPTY, body: Buffer.from('"\xff"', 'latin1') });
  assert.is(almost.toString(), '{"id":1,"input":"in","body":"Iv8i","encoding":"base64"}');
});

function isJson(body: Buffer): boolean {
  try {
    JSON.parse(body.toString());
    return true;
  } catch {
    return false;
  }
}

lines('a module that prints the body of a line it has received sends a message with the same bytes', () => {
  for (const body of [...BODIES, 'plain', '{\n}', '\xff\n'].filter(text => text !== '"text"')) {
    const bytes = Buffer.from(body, 'latin1');
    const task = taskLine(1, 'in', { ...EMPTY, body: bytes }).toString();
    const line = task.replace('{"id":1,"input":"in",', '{"output":"o",');
    const sent = messageOfLine('m', Buffer.from(line)).body.toString('latin1');
    assert.is(sent, body.replace('{\n}', '{ }'), body.slice(0, 40));
  }
});

lines.run();
