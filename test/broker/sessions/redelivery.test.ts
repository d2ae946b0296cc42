import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BrokerHarness, Client } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';
import { published } from '../../harness/clients/mqtt5.ts';

const resend = suite('broker: redelivery');

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
 * Sends five messages to a session. Its client acknowledges two of these at QoS 1, reconnects, and must
 * receive the rest again.
 */
async function assertRedelivery(broker: BrokerHarness, qos: 1 | 2): Promise<void> {
  const reader = await broker.client();
  await reader.connect({ clientId: 'reader', clean: false });
  await reader.subscribe('t', qos);
  const sender = await broker.client();
  await sender.connect({ clientId: 'sender' });
  for (let n = 1; n <= 5; n++) sender.publish('t', `m${n}`, qos, n);
  const first = await arrivals(reader, 5);
  const [one, two, three] = first;
  if (qos === 1)
    for (const messageId of [one?.id ?? 0, two?.id ?? 0]) reader.send({ cmd: 'puback', messageId });
  await reader.roundTrip();
  reader.socket.destroy();
  const again = await broker.client();
  assert.is(brief(await again.connect({ clientId: 'reader', clean: false })), 'connack 0 present');
  const left = qos === 1 ? first.slice(2) : first;
  const repeated = await arrivals(again, left.length);
  assert.equal(
    repeated,
    left.map(arrived => ({ ...arrived, dup: true })),
  );
  if (qos === 2) return;
  // A late acknowledgement of the third message removes the third message only.
  again.send({ cmd: 'puback', messageId: three?.id ?? 0 });
  await again.roundTrip();
  const depth = broker
    .hub()
    .status()
    .queues.find(({ queue }) => queue === 'session/client:reader')?.depth;
  assert.is(depth, 2);
}

resend(
  '[MQTT-4.4.0-1] an unacknowledged QoS 1 message is sent again with its packet identifier after a reconnect',
  () => withBroker(broker => assertRedelivery(broker, 1)),
);

resend(
  '[MQTT-4.4.0-1] an unacknowledged QoS 2 message is sent again with its packet identifier after a reconnect',
  () => withBroker(broker => assertRedelivery(broker, 2)),
);

resend.run();
