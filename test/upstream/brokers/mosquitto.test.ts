import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, freePort, removeFolder, run, startHub, until } from '../../harness/binary.ts';

const MOSQUITTO = '/usr/sbin/mosquitto';

async function startMosquitto(folder: string, port: number): Promise<ChildProcess> {
  const child = spawn(MOSQUITTO, ['-c', join(folder, 'mosquitto.conf')], { stdio: 'ignore' });
  const probe = (): boolean => run(['pub', '-p', String(port), '-t', 'probe', '-m', 'x']).code === 0;
  await until('mosquitto listens', probe);
  return child;
}

const upstream = suite('upstream: mosquitto');

upstream('mosquitto receives every message in order although it is killed with SIGKILL', async () => {
  if (spawnSync(MOSQUITTO, ['-h']).error !== undefined) {
    process.stdout.write('skipped: the upstream test with mosquitto: it is not installed\n');
    return;
  }
  const [edgePort, brokerPort] = [await freePort(), await freePort()];
  const folder = folderWith({
    'mosquitto.conf': '',
    'edge.json': JSON.stringify({
      name: 'edge',
      routes: { all: 'FROM /messages/* INTO $upstream' },
      listeners: [{ mqtt: `127.0.0.1:${edgePort}` }],
      upstream: { url: `mqtt://127.0.0.1:${brokerPort}` },
    }),
  });
  // Without a saved session mosquitto would drop messages that arrive before the subscriber reconnects.
  const settings = [
    `listener ${brokerPort} 127.0.0.1`,
    'allow_anonymous true',
    `persistence_location ${folder}/`,
  ];
  const saving = ['persistence true', 'autosave_on_changes true', 'autosave_interval 1', 'user root'];
  writeFileSync(join(folder, 'mosquitto.conf'), [...settings, ...saving].join('\n'));
  const publish = (from: number): void => {
    const text = Array.from({ length: 100 }, (_, index) => `${from + index}\n`).join('');
    assert.is(run(['pub', '-p', String(edgePort), '-t', 'n', '-q', '1', '-l'], text).code, 0);
  };
  let broker = await startMosquitto(folder, brokerPort);
  const hub = await startHub(folder, 'edge.json', 'edge');
  const arrived: number[] = [];
  const client = mqtt.connect(`mqtt://127.0.0.1:${brokerPort}`, {
    clientId: 'reader',
    clean: false,
    reconnectPeriod: 50,
  });
  client.on('message', (_topic, body) => arrived.push(Number(body.toString())));
  client.on('error', () => {});
  await client.subscribeAsync('edge/n', { qos: 1 });
  try {
    publish(0);
    await until('the first hundred is there', () => arrived.length >= 100);
    broker.kill('SIGKILL');
    publish(100);
    broker = await startMosquitto(folder, brokerPort);
    await until('the second hundred is there', () => new Set(arrived).size === 200);
    // After its restart mosquitto may repeat messages that its subscriber has already received.
    const first = [...new Set(arrived)];
    assert.equal(
      first,
      Array.from({ length: 200 }, (_, index) => index),
    );
  } finally {
    await client.endAsync();
    await hub.end('SIGTERM');
    broker.kill('SIGKILL');
    removeFolder(folder);
  }
});

upstream.run();
