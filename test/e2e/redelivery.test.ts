import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, freePort, removeFolder, startHub } from '../harness/binary.ts';
import type { Client } from '../harness/broker.ts';
import { brief, openClient } from '../harness/broker.ts';

const redelivery = suite('e2e: redelivery after a restart of the hub');

type ConnectPersistent = (clientId: string) => Promise<Client>;

/**
 * Subscribes `reader` to `t`, `member` to the shared topic `s` and `away` to `u`, disconnects `away`, and
 * publishes on all three topics.
 */
async function sendToAll(connect: ConnectPersistent): Promise<void> {
  const reader = await connect('reader');
  await reader.subscribe('t', 2);
  const member = await connect('member');
  await member.subscribe('$share/group/s', 1);
  const away = await connect('away');
  await away.subscribe('u', 1);
  await away.leave();
  const sender = await connect('sender');
  sender.publish('t', 'one', 1, 1);
  assert.is(brief(await sender.next()), 'puback');
  sender.publish('t', 'two', 2, 2);
  assert.is(brief(await sender.next()), 'pubrec');
  sender.publish('s', 'three', 1, 3);
  assert.is(brief(await sender.next()), 'puback');
  sender.publish('u', 'four', 1, 4);
  assert.is(brief(await sender.next()), 'puback');
  assert.is(brief(await reader.next()), 't one q1');
  assert.is(brief(await reader.next()), 't two q2');
  assert.is(brief(await member.next()), 's three q1');
}

/** Ends a hub with `signal` while messages are unacknowledged, starts it again and runs `scenario`. */
async function acrossRestart(
  signal: 'SIGKILL' | 'SIGTERM',
  scenario: (connect: ConnectPersistent) => Promise<void>,
): Promise<void> {
  const port = await freePort();
  const manifest = JSON.stringify({ name: 'redelivery', listeners: [{ mqtt: `127.0.0.1:${port}` }] });
  const folder = folderWith({ 'm.json': manifest });
  const clients: Client[] = [];
  const connect: ConnectPersistent = async clientId => {
    const client = await openClient(port);
    clients.push(client);
    await client.connect({ clientId, clean: false });
    return client;
  };
  const start = () => startHub(folder, 'm.json', join(folder, 'data'));
  let hub = await start();
  try {
    await sendToAll(connect);
    await hub.end(signal);
    hub = await start();
    await scenario(connect);
  } finally {
    for (const { socket } of clients) socket.destroy();
    await hub.end('SIGTERM');
    removeFolder(folder);
  }
}

async function assertRedelivered(connect: ConnectPersistent): Promise<void> {
  const sender = await connect('sender');
  sender.publish('t', 'new', 1, 9);
  assert.is(brief(await sender.next()), 'puback');
  const reader = await connect('reader');
  const came = [await reader.next(), await reader.next(), await reader.next()];
  assert.equal(came.map(brief), ['t one q1 dup', 't two q2 dup', 't new q1']);
  const member = await connect('member');
  assert.is(brief(await member.next()), 's three q1 dup');
}

redelivery(
  '[MQTT-3.3.1-1] every message that was possibly sent before a SIGKILL of the hub is redelivered with DUP',
  () =>
    acrossRestart('SIGKILL', async connect => {
      await assertRedelivered(connect);
      const away = await connect('away');
      assert.is(brief(await away.next()), 'u four q1 dup');
    }),
);

redelivery(
  '[MQTT-3.3.1-1] after a stop and restart of the hub only the messages sent before the stop have DUP',
  () =>
    acrossRestart('SIGTERM', async connect => {
      await assertRedelivered(connect);
      const away = await connect('away');
      assert.is(brief(await away.next()), 'u four q1');
    }),
);

redelivery.run();
