import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, freePort, removeFolder, run, startHub, until } from '../harness/binary.ts';

/** Path of the device key in the data folder. */
const KEY = 'keys/device.key';

const hub = suite('upstream: device key and status');

hub('a hub with a sealed upstream password connects to its parent hub', async () => {
  const [edgePort, parentPort] = [await freePort(), await freePort()];
  const password = run(['passwd'], 'hunter2\n').out.trim();
  const folder = folderWith({
    'parent.json': JSON.stringify({
      name: 'parent',
      listeners: [{ mqtt: `127.0.0.1:${parentPort}` }],
      users: {
        edge: { password, publish: ['edge/#'] },
        reader: { password, subscribe: ['#'] },
      },
    }),
    'first.json': '{"name":"edge","listeners":[]}',
  });
  const data = `${folder}/edge`;
  // The first start creates the device key.
  const first = await startHub(folder, 'first.json', 'edge');
  await first.end('SIGTERM');
  const sealed = run(['seal', '--data', data], 'hunter2\n').out.trim();
  assert.match(sealed, /^sealed:/);
  const manifest = {
    name: 'edge',
    listeners: [{ mqtt: `127.0.0.1:${edgePort}` }],
    routes: { all: 'FROM /messages/* INTO $upstream' },
    upstream: {
      url: `mqtt://127.0.0.1:${parentPort}`,
      username: 'edge',
      password: sealed,
      profile: 'skerry',
    },
  };
  const files = folderWith({ 'edge.json': JSON.stringify(manifest) });
  const parent = await startHub(folder, 'parent.json', 'parent');
  const edge = await startHub(files, 'edge.json', data);
  try {
    const publish = (topic: string, text: string): void => {
      assert.is(run(['pub', '-p', String(edgePort), '-t', topic, '-m', text, '-q', '1']).code, 0);
    };
    const status = (): string => run(['ps', '--data', data]).out;
    await until('it is connected', () => / connected, 0 delivered/.test(status()));
    publish('a', '1');
    await until('it is delivered', () => / connected, 1 delivered/.test(status()));
    const sys = run(['sub', '-p', String(edgePort), '-t', '$SYS/upstream/state', '-C', '1']);
    assert.is(sys.out, 'connected\n');
    await parent.end('SIGKILL');
    await until('it waits', () => /connection refused \(ECONNREFUSED\)/.test(status()));
    publish('a', '2');
    await until('one waits', () => /1 wait, the oldest/.test(status()), 5);
  } finally {
    await edge.end('SIGTERM');
    await parent.end('SIGKILL');
    removeFolder(folder);
    removeFolder(files);
  }
});

hub('a damaged device key disables an upstream with a sealed password and does not end the hub', async () => {
  const folder = folderWith({ 'first.json': '{"name":"edge","listeners":[]}' });
  const data = `${folder}/edge`;
  await (await startHub(folder, 'first.json', 'edge')).end('SIGTERM');
  const sealed = run(['seal', '--data', data], 'hunter2\n').out.trim();
  const upstream = { url: 'mqtt://127.0.0.1:1', username: 'edge', password: sealed };
  const files = folderWith({
    'edge.json': JSON.stringify({
      name: 'edge',
      listeners: [],
      deployment: { healthyFor: '200ms' },
      upstream,
    }),
  });
  const status = (): string => run(['ps', '--data', data]).out;
  const first = await startHub(files, 'edge.json', data);
  await until('it is proven', () => /edge: healthy/.test(status()));
  await first.end('SIGTERM');
  const key = join(data, KEY);
  const good = readFileSync(key);
  writeFileSync(key, '');
  const again = await startHub(files, 'edge.json', data);
  try {
    await until('it says why', () => status().includes(KEY));
    const isLogged = (): boolean =>
      /upstream: .*device\.key.* Messages wait in the queue until the next attempt\./.test(again.log());
    await until('it is logged', isLogged);
    writeFileSync(key, good);
    await until('it is tried', () => /ECONNREFUSED/.test(status()), 15);
    assert.is(await again.end('SIGTERM'), 0);
  } finally {
    await again.end('SIGKILL');
    removeFolder(folder);
    removeFolder(files);
  }
});

hub.run();
