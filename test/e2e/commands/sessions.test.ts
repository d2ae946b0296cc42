import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_LISTED } from '../../../src/hub/control/client-control.ts';
import { folderWith, freePort, removeFolder, run, startHub, until } from '../../harness/binary.ts';

type RunCommand = (...args: string[]) => ReturnType<typeof run>;
type ConnectClient = (clientId: string, clean: boolean) => Promise<MqttClient>;

/** Runs a hub with one listener. `connectClient` opens a client, which is closed at the end. */
async function withHub(
  scenario: (ask: RunCommand, connectClient: ConnectClient) => Promise<void>,
): Promise<void> {
  const port = await freePort();
  const manifest = { name: 'shop', listeners: [{ mqtt: `127.0.0.1:${port}` }] };
  const folder = folderWith({ 'manifest.json': JSON.stringify(manifest) });
  const data = join(folder, 'data');
  const hub = await startHub(folder, 'manifest.json', 'data');
  const clients: MqttClient[] = [];
  try {
    await scenario(
      (...args) => run([...args, '--data', data]),
      async (clientId, clean) => {
        const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
          clientId,
          clean,
          reconnectPeriod: 0,
        });
        clients.push(client);
        return client;
      },
    );
  } finally {
    for (const client of clients) client.end(true);
    await hub.end('SIGTERM');
    removeFolder(folder);
  }
}

function json(text: string): unknown {
  return JSON.parse(text);
}

function rowsOf(text: string): Record<string, unknown>[] {
  const rows = json(text);
  assert.ok(Array.isArray(rows));
  return rows;
}

const holders = suite('e2e: skerry sessions, clients and retained');

holders('`skerry sessions` lists, shows and drops sessions with their waiting messages', () =>
  withHub(async (ask, connectClient) => {
    const reader = await connectClient('reader', false);
    await reader.subscribeAsync(['news/#', 'door'], { qos: 1 });
    await reader.endAsync();
    const sender = await connectClient('sender', true);
    for (const text of ['one', 'two']) await sender.publishAsync('door', text, { qos: 1 });
    const rows = rowsOf(ask('sessions', '--json').out);
    assert.equal(rows.map(({ id }) => id).sort(), ['client:reader', 'client:sender']);
    const row = rows.find(({ id }) => id === 'client:reader');
    assert.equal(
      [row?.['holder'], row?.['connected'], row?.['subscriptions'], row?.['waitingMessages']],
      ['local', false, 2, 2],
    );
    assert.type(row?.['ageSeconds'], 'number');
    assert.ok(Number(row?.['waitingBytes']) > 0);
    assert.match(ask('sessions').out, /^client:reader +local +no +\S+ +2 +2 +/m);
    assert.match(ask('sessions', 'show', 'reader').out, /^1 +news\/#$/m);
    assert.is(ask('sessions', 'drop', 'reader').out, '1 dropped\n');
    assert.equal([ask('sessions', 'drop', 'reader').code, ask('sessions', 'show', 'reader').code], [1, 1]);
    assert.match(ask('queue').out, /^QUEUE[^\n]*\n\d/);
    assert.is(ask('sessions', 'drop', '--holder', 'local').out, '1 dropped\n');
    await until('the sender is gone', () => !sender.connected);
    assert.is(ask('sessions', 'drop').code, 2);
  }),
);

holders('`skerry clients` lists and disconnects clients', () =>
  withHub(async (ask, connectClient) => {
    const client = await connectClient('display', true);
    const [row] = rowsOf(ask('clients', '--json').out);
    assert.equal(
      [row?.['id'], row?.['holder'], row?.['address'], row?.['mqttVersion']],
      ['client:display', 'local', '127.0.0.1', 4],
    );
    assert.is(ask('clients', 'kick', 'display').out, '1 disconnected\n');
    await until('it is disconnected', () => !client.connected);
    const again = ask('clients', 'kick', 'display');
    assert.equal([again.code, again.err.includes('No client "display" is connected')], [1, true]);
  }),
);

holders('`skerry retained` lists the largest messages first and clears messages by a filter', () =>
  withHub(async (ask, connectClient) => {
    const COUNT = 2 * MAX_LISTED + 50;
    const sender = await connectClient('sender', true);
    const publish = (topic: string, text: string) =>
      sender.publishAsync(topic, text, { qos: 1, retain: true });
    await Promise.all(Array.from({ length: COUNT }, (_, n) => publish(`small/${n}`, 'x')));
    await publish('large/one', 'x'.repeat(2_000));
    const rows = rowsOf(ask('retained', '--json', '-n', '1000').out);
    assert.equal(
      [rows.length, rows[0]?.['topic'], new Set(rows.map(({ topic }) => topic)).size],
      [COUNT + 1, 'large/one', COUNT + 1],
    );
    const listed = ask('retained', 'list', '-n', '3').out.split('\n');
    assert.equal([listed.length, listed[4]], [6, `3 of ${COUNT + 1}: see more with -n ${COUNT + 1}`]);
    assert.is(ask('retained', 'clear', 'small/+').out, `${COUNT} cleared\n`);
    assert.equal(
      rowsOf(ask('retained', '--json').out).map(({ topic }) => topic),
      ['large/one'],
    );
    assert.is(ask('retained', 'clear', 'a/#/b').code, 2);
    const shares = json(ask('ps', '--json').out);
    assert.match(JSON.stringify(shares), /"resource":"retained","held":1,"bound":10000,"holders":1/);
  }),
);

holders.run();
