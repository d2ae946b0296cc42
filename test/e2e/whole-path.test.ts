import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HubStatus } from '../../src/hub/status.ts';
import { folderWith, freePort, removeFolder, run, startHub, until } from '../harness/binary.ts';

/** Module that prints ten readings and then waits for its end. */
const READINGS = `#!/bin/sh
for n in 1 2 3 4 5 6 7 8 9 10; do
  echo "{\\"output\\":\\"temp\\",\\"body\\":{\\"celsius\\":$((n * 10))},\\"properties\\":{\\"place\\":\\"roof\\"}}"
done
exec sleep 1000
`;
const RECEIVER = `#!/bin/sh
while read -r line; do echo "got $line" >&2; done
`;

const path = suite('e2e: path of a message');

path('a line of a module reaches another module and the parent hub through routes and queues', async () => {
  const [edgePort, parentPort] = [await freePort(), await freePort()];
  const folder = folderWith({
    'readings.sh': READINGS,
    'receiver.sh': RECEIVER,
    'parent.json': JSON.stringify({ name: 'parent', listeners: [{ mqtt: `127.0.0.1:${parentPort}` }] }),
    'edge.json': JSON.stringify({
      name: 'edge',
      modules: {
        readings: { exec: ['./readings.sh'], io: 'lines', startupOrder: 1 },
        receiver: { exec: ['./receiver.sh'], io: 'lines' },
        absent: { exec: ['./absent.sh'], io: 'lines' },
        crashing: { exec: ['sh', '-c', 'exit 3'], restart: 'never' },
      },
      routes: {
        hot: 'FROM /messages/modules/readings/outputs/temp WHERE $body.celsius > 60 INTO BrokeredEndpoint("/modules/receiver/inputs/in")',
        roof: "FROM /messages/* WHERE place = 'roof' AND $body.celsius >= 90 INTO $upstream",
      },
      listeners: [{ mqtt: `127.0.0.1:${edgePort}` }],
      upstream: { url: `mqtt://127.0.0.1:${parentPort}` },
    }),
  });
  const parent = await startHub(folder, 'parent.json', 'parent');
  const arrived: string[] = [];
  const client = mqtt.connect(`mqtt://127.0.0.1:${parentPort}`);
  client.on('message', (topic, body) => arrived.push(`${topic} ${body}`));
  await client.subscribeAsync('#', { qos: 1 });
  const edge = await startHub(folder, 'edge.json', 'edge');
  const data = ['--data', join(folder, 'edge')];
  try {
    await until('both readings of the roof are at the parent', () => arrived.length >= 2);
    assert.equal(arrived, ['edge/readings/temp {"celsius":90}', 'edge/readings/temp {"celsius":100}']);

    const log = (): string => run(['logs', 'receiver', ...data]).out;
    await until('the receiver has logged its four', () => log().split('got ').length === 5);
    assert.match(
      log(),
      /got \{"celsius":70\}\n.*got \{"celsius":80\}\n.*got \{"celsius":90\}\n.*got \{"celsius":100\}/,
    );

    const status: HubStatus = JSON.parse(run(['ps', '--json', ...data]).out);
    const states = Object.fromEntries(status.modules.map(({ name, state }) => [name, state]));
    assert.equal(states, { absent: 'failed', crashing: 'failed', readings: 'running', receiver: 'running' });
    const absent = status.modules.find(({ name }) => name === 'absent');
    assert.match(absent?.lastExit ?? '', /absent\.sh/);
    const counts = status.routes.map(({ name, matched, unmatched }) => [name, matched, unmatched]);
    assert.equal(counts, [
      ['hot', 4, 6],
      ['roof', 2, 8],
    ]);
    assert.match(run(['ps', ...data]).out, /readings +running/);
    assert.match(run(['routes', ...data]).out, /hot +4 +6/);
    assert.match(run(['queue', ...data]).out, /\$upstream +0/);

    assert.is(run(['stop', 'readings', ...data]).code, 0);
    assert.match(run(['ps', ...data]).out, /readings +stopped/);
    assert.is(run(['restart', 'nobody', ...data]).code, 1);
  } finally {
    await client.endAsync();
    assert.is(await edge.end('SIGTERM'), 0);
    assert.is(await parent.end('SIGINT'), 0);
  }
  assert.throws(() => readFileSync(join(folder, 'edge', 'control.sock')));
  removeFolder(folder);
});

path('a message that is queued when the hub stops is delivered after the next start', async () => {
  const [edgePort, parentPort] = [await freePort(), await freePort()];
  const folder = folderWith({
    'parent.json': JSON.stringify({ name: 'parent', listeners: [{ mqtt: `127.0.0.1:${parentPort}` }] }),
    'edge.json': JSON.stringify({
      name: 'edge',
      routes: { all: 'FROM /messages/* INTO $upstream' },
      listeners: [{ mqtt: `127.0.0.1:${edgePort}` }],
      upstream: { url: `mqtt://127.0.0.1:${parentPort}` },
    }),
  });
  const first = await startHub(folder, 'edge.json', 'edge');
  const lines = Array.from({ length: 200 }, (_, number) => `line ${number}`);
  const sent = run(
    ['pub', '-p', String(edgePort), '-t', 'log/lines', '-q', '1', '-l'],
    `${lines.join('\n')}\n`,
  );
  assert.equal(sent, { code: 0, out: '', err: '' });
  await first.end('SIGTERM');

  const parent = await startHub(folder, 'parent.json', 'parent');
  const arrived: string[] = [];
  const client = mqtt.connect(`mqtt://127.0.0.1:${parentPort}`);
  client.on('message', (_topic, body) => arrived.push(body.toString()));
  await client.subscribeAsync('edge/log/lines', { qos: 1 });
  const second = await startHub(folder, 'edge.json', 'edge');
  try {
    await until('all lines are at the parent', () => arrived.length >= lines.length);
    assert.equal(arrived, lines);
  } finally {
    await client.endAsync();
    await second.end('SIGTERM');
    await parent.end('SIGTERM');
    removeFolder(folder);
  }
});

path('`skerry sub` prints the messages that `skerry pub` publishes', async () => {
  const port = String(await freePort());
  const folder = folderWith({
    'hub.json': JSON.stringify({ name: 'hub', listeners: [{ mqtt: `127.0.0.1:${port}` }] }),
  });
  const hub = await startHub(folder, 'hub.json', 'data');
  try {
    // A persistent session stores the message that is published between the two runs.
    const subscribe = ['sub', '-p', port, '-i', 'reader', '-c', '-q', '1', '-v', '-t', 'a/+'];
    const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { clientId: 'reader', clean: false });
    await client.subscribeAsync('a/+', { qos: 1 });
    await client.endAsync();
    assert.is(run(['pub', '-p', port, '-q', '1', '-t', 'a/b', '-m', 'hello']).code, 0);
    assert.equal(run([...subscribe, '-C', '1']), { code: 0, out: 'a/b hello\n', err: '' });
  } finally {
    await hub.end('SIGTERM');
    removeFolder(folder);
  }
});

path.run();
