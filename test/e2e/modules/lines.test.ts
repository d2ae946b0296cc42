import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HubStatus } from '../../../src/hub/status.ts';
import { folderWith, freePort, removeFolder, run, startHub, until } from '../../harness/binary.ts';

const MAX_PACKET_BYTES = 1 << 20;

/** Module that prints the file `lines` once the file `go` exists. */
const PRINTER = `#!/bin/sh
echo waits >/dev/stderr
while [ ! -e go ]; do sleep 0.02; done
cat lines >>/dev/stdout
exec sleep 1000
`;

const DEEP = '['.repeat(4_500) + ']'.repeat(4_500);
const DEEPER = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;

/** Bodies that the module prints, in Latin-1. */
const BODIES = [
  '1724442618569203714',
  '1.0',
  '1e400',
  '{"b":1,"a":2,"b":3,"10":4,"9":5}',
  '{ "a" : [ 1 , 2 ] }',
  '{"s":"\xff\xfe\\u00e9"}',
  DEEP,
  DEEPER,
];

const lines = suite('e2e: lines of modules');

lines('the body of a line that a module prints is delivered with unchanged bytes', async () => {
  const port = await freePort();
  const manifest = {
    name: 'edge',
    listeners: [{ mqtt: `127.0.0.1:${port}` }],
    modules: {
      printer: { exec: ['./printer.sh'], io: 'lines' },
      reader: { exec: ['sh', '-c', 'exec cat </dev/stdin >read'], io: 'lines' },
      worker: { exec: ['sh', '-c', 'exec cat >> tasks'], io: 'lines', ack: true },
    },
    routes: {
      read: 'FROM /messages/modules/printer/outputs/o INTO BrokeredEndpoint("/modules/reader/inputs/in")',
      work: 'FROM topic("work") INTO BrokeredEndpoint("/modules/worker/inputs/in")',
    },
  };
  const folder = folderWith({
    'printer.sh': PRINTER,
    'manifest.json': JSON.stringify(manifest),
    tasks: '',
  });
  let hub = await startHub(folder, 'manifest.json', 'data');
  const data = ['--data', join(folder, 'data')];
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5 });
  const arrived: string[] = [];
  client.on('message', (topic, body) => arrived.push(`${topic} ${body.toString('latin1')}`));
  const read = (file: string): string => readFileSync(join(folder, file), 'latin1');
  try {
    await client.subscribeAsync('modules/printer/outputs/#', { qos: 1 });
    const printed = BODIES.map(body => `{"output":"o","body":${body}}`);
    const long = `{"output":"big","body":"${'x'.repeat(MAX_PACKET_BYTES - 26)}"}`;
    printed.push(
      `{"output":"o","body":1,"properties":{"k":"${'x'.repeat(65_536)}"}}`,
      `{"output":"o","body":2,"properties":{"k":"\\u0000"}}`,
      `{"output":"p","body":3,"properties":{"k":"${'x'.repeat(65_535)}"}}`,
      long,
      `${long} `,
      'end',
    );
    writeFileSync(join(folder, 'lines'), `${printed.join('\n')}\n`, 'latin1');
    writeFileSync(join(folder, 'go'), '');

    await until('the last line has arrived', () => arrived.at(-1)?.endsWith('/out end') === true);
    const [shown, rest] = [arrived.slice(0, BODIES.length), arrived.slice(BODIES.length)];
    assert.ok(shown.every((text, at) => text === `modules/printer/outputs/o ${BODIES[at]}`));
    assert.equal(
      rest.map(text => text.split(' ')[0]?.split('/').at(-1)),
      ['p', 'big', 'out'],
    );
    assert.is(rest[1]?.length, 'modules/printer/outputs/big '.length + MAX_PACKET_BYTES - 26);
    await until('all bodies are read', () => read('read').split('\n').length > BODIES.length);
    assert.ok(read('read') === `${BODIES.join('\n')}\n`);
    assert.match(run(['logs', 'printer', ...data]).out, / waits$/m);
    assert.match(
      hub.log(),
      /A line of module "printer" was dropped: "properties\.k" is longer than 65535 bytes/,
    );
    const status: HubStatus = JSON.parse(run(['ps', '--json', ...data]).out);
    assert.is(status.modules.find(({ name }) => name === 'printer')?.refusedLines, 3);

    for (const body of [...BODIES.map(text => Buffer.from(text, 'latin1')), 'two\nlines'])
      await client.publishAsync('work', body, { qos: 1 });
    const tasks = (): string[] => read('tasks').split('\n').slice(0, -1);
    await until('all tasks are there', () => tasks().length === BODIES.length + 1);
    assert.ok(BODIES.every((body, at) => tasks()[at] === taskOf(body, at + 1)));
    assert.is(tasks().at(-1), '{"id":9,"input":"in","body":"two\\nlines"}');

    await client.endAsync();
    await hub.end('SIGKILL');
    writeFileSync(join(folder, 'tasks'), '');
    hub = await startHub(folder, undefined, 'data');
    await until('unacknowledged tasks are delivered again', () => tasks().length === BODIES.length + 1);
  } finally {
    await client.endAsync(true);
    await hub.end('SIGTERM');
    removeFolder(folder);
  }
});

/** Line that the module receives for a body. */
function taskOf(body: string, id: number): string {
  const bytes = Buffer.from(body, 'latin1');
  const stands = body.includes('\xff') ? `"${bytes.toString('base64')}","encoding":"base64"` : body;
  return `{"id":${id},"input":"in","body":${stands}}`;
}

lines('a module with io lines runs with PYTHONUNBUFFERED in its environment', async () => {
  const script = 'echo "<$(printenv PYTHONUNBUFFERED || echo unset)>"; exec sleep 1000';
  const module = { exec: ['sh', '-c', script], io: 'lines' };
  const manifest = {
    name: 'edge',
    listeners: [{ mqtt: '127.0.0.1:0' }],
    modules: {
      usual: module,
      own: { ...module, env: { PYTHONUNBUFFERED: '' } },
      log: { ...module, io: 'mqtt' },
      silent: { exec: ['sh', '-c', 'printf begun; exec sleep 1000'], io: 'lines' },
    },
    routes: {
      usual: 'FROM /messages/modules/usual/* INTO BrokeredEndpoint("/modules/silent/inputs/usual")',
      own: 'FROM /messages/modules/own/* INTO $upstream',
    },
    upstream: { url: 'mqtt://127.0.0.1:1' },
  };
  const folder = folderWith({ 'manifest.json': JSON.stringify(manifest) });
  const hub = await startHub(folder, 'manifest.json', 'data');
  const data = ['--data', join(folder, 'data')];
  const printed = (): Record<string, number | undefined> => {
    const { modules }: HubStatus = JSON.parse(run(['ps', '--json', ...data]).out);
    return Object.fromEntries(modules.map(({ name, printedLines }) => [name, printedLines]));
  };
  try {
    await until('what has lines has printed them', () => printed()['usual'] === 1 && printed()['own'] === 1);
    assert.equal(printed(), { log: undefined, own: 1, silent: 0, usual: 1 });
    assert.equal(run(['ps', ...data]).out.match(/no output yet.*/g), ['no output yet from "silent"']);
    assert.match(run(['logs', 'log', ...data]).out, / <unset>$/m);
    assert.match(run(['queue', 'peek', '$upstream', ...data]).out, /<>/);
    run(['restart', 'usual', ...data]);
    await until('it has printed again', () => printed()['usual'] === 1);
  } finally {
    await hub.end('SIGTERM');
    removeFolder(folder);
  }
});

lines.run();
