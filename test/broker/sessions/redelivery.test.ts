import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BrokerHarness, Client } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';
import { published } from '../../harness/clients/mqtt5.ts';

const resend = suite('broker: what is sent again');

type Arrived = { readonly id: number; readonly body: string; readonly dup: boolean };

async function arrivals(client: Client, count: number): Promise<Arrived[]> {
  const all: Arrived[] = [];
  while (all.length < count) {
    const { messageId, payload, dup } = await published(client);
    all.push({ id: messageId ?? 0, body: payload.toString(), dup });
  }
  return all;
}

/**
 * Sends five messages to a session, whose client reconnects after it has acknowledged two of them, if they
 * have QoS 1.
 */
async function reconnected(stage: BrokerHarness, qos: 1 | 2): Promise<void> {
  const reader = await stage.client();
  await reader.connect({ clientId: 'reader', clean: false });
  await reader.subscribe('t', qos);
  const sender = await stage.client();
  await sender.connect({ clientId: 'sender' });
  for (let n = 1; n <= 5; n++) sender.publish('t', `m${n}`, qos, n);
  const first = await arrivals(reader, 5);
  const [one, two, three] = first;
  if (qos === 1)
    for (const messageId of [one?.id ?? 0, two?.id ?? 0]) reader.send({ cmd: 'puback', messageId });
  await reader.roundTrip();
  reader.socket.destroy();
  const again = await stage.client();
  assert.is(brief(await again.connect({ clientId: 'reader', clean: false })), 'connack 0 present');
  const left = qos === 1 ? first.slice(2) : first;
  const repeated = await arrivals(again, left.length);
  assert.equal(
    repeated,
    left.map(arrived => ({ ...arrived, dup: true })),
  );
  if (qos === 2) return;
  // An acknowledgement of the third from before the reconnect: it is the third that it ends, and no other.
  again.send({ cmd: 'puback', messageId: three?.id ?? 0 });
  await again.roundTrip();
  const depth = stage
    .hub()
    .status()
    .queues.find(({ queue }) => queue === 'session/client:reader')?.depth;
  assert.is(depth, 2);
}

resend('[MQTT-4.4.0-1] at QoS 1 a message has its packet identifier again after a reconnect', () =>
  withBroker(stage => reconnected(stage, 1)),
);

resend('[MQTT-4.4.0-1] at QoS 2 a message has its packet identifier again after a reconnect', () =>
  withBroker(stage => reconnected(stage, 2)),
);

resend.run();
