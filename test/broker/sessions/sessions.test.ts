import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_IN_FLIGHT } from '../../../src/broker/limits.ts';
import type { BrokerHarness } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';

const sessions = suite('broker: persistent sessions');

async function subscribeAndLeave(broker: BrokerHarness, ...filters: string[]): Promise<void> {
  const reader = await broker.client();
  await reader.connect({ clientId: 'reader', clean: false });
  for (const filter of filters) await reader.subscribe(filter, 1);
  reader.send({ cmd: 'disconnect' });
  await reader.next();
}

async function publish(broker: BrokerHarness, topic: string, texts: readonly string[]): Promise<void> {
  const sender = await broker.client();
  await sender.connect({ clientId: 'sender' });
  for (const [index, text] of texts.entries()) sender.publish(topic, text, 1, index + 1);
  for (const _ of texts) assert.is(brief(await sender.next()), 'puback');
  sender.socket.destroy();
}

/** Connects again, receives `count` messages and acknowledges the first `acknowledged` of these. */
async function read(broker: BrokerHarness, count: number, acknowledged: number): Promise<string[]> {
  const reader = await broker.client();
  assert.is(brief(await reader.connect({ clientId: 'reader', clean: false })), 'connack 0 present');
  const received: string[] = [];
  for (let n = 0; n < count; n++) {
    const packet = await reader.next();
    received.push(brief(packet));
    if (packet !== 'closed' && n < acknowledged)
      reader.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
  }
  reader.send({ cmd: 'pingreq' });
  assert.is(brief(await reader.next()), 'pingresp');
  reader.socket.destroy();
  return received;
}

sessions('messages for an offline session are delivered in order when its client connects', () =>
  withBroker(async broker => {
    await subscribeAndLeave(broker, 'a');
    await publish(broker, 'a', ['1', '2', '3']);
    assert.equal(await read(broker, 3, 3), ['a 1 q1', 'a 2 q1', 'a 3 q1']);
    assert.equal(await read(broker, 0, 0), []);
  }),
);

sessions('subscriptions and messages of a session survive a restart of the hub', () =>
  withBroker(async broker => {
    await subscribeAndLeave(broker, 'a', 'b');
    await publish(broker, 'a', ['1', '2']);
    await broker.restart();
    await publish(broker, 'b', ['3']);
    assert.equal(await read(broker, 3, 3), ['a 1 q1', 'a 2 q1', 'b 3 q1']);
  }),
);

sessions('[MQTT-4.4.0-1] unacknowledged messages are sent again with DUP before new messages', () =>
  withBroker(async broker => {
    await subscribeAndLeave(broker, 'a');
    await publish(broker, 'a', ['1', '2', '3']);
    assert.equal(await read(broker, 3, 1), ['a 1 q1', 'a 2 q1', 'a 3 q1']);
    await publish(broker, 'a', ['4']);
    assert.equal(await read(broker, 3, 3), ['a 2 q1 dup', 'a 3 q1 dup', 'a 4 q1']);
  }),
);

sessions('unacknowledged messages are sent again with DUP after a restart of the hub', () =>
  withBroker(async broker => {
    await subscribeAndLeave(broker, 'a');
    await publish(broker, 'a', ['1', '2', '3']);
    assert.equal(await read(broker, 3, 1), ['a 1 q1', 'a 2 q1', 'a 3 q1']);
    await broker.restart();
    assert.equal(await read(broker, 2, 2), ['a 2 q1 dup', 'a 3 q1 dup']);
    assert.equal(await read(broker, 0, 0), []);
  }),
);

sessions(
  '[MQTT-4.4.0-1] a connection that takes over a session receives all unacknowledged messages of the session',
  () =>
    withBroker(async broker => {
      await subscribeAndLeave(broker, 'a');
      const first = await broker.client();
      await first.connect({ clientId: 'reader', clean: false });
      await publish(broker, 'a', ['1', '2']);
      assert.equal([brief(await first.next()), brief(await first.next())], ['a 1 q1', 'a 2 q1']);
      assert.equal(await read(broker, 2, 2), ['a 1 q1 dup', 'a 2 q1 dup']);
      assert.is(await first.next(), 'closed');
    }),
);

sessions(
  'a long queue of a session is sent in order, with at most MAX_IN_FLIGHT unacknowledged messages',
  () =>
    withBroker(async broker => {
      const count = 3 * MAX_IN_FLIGHT;
      const texts = Array.from({ length: count }, (_, index) => String(index));
      const expected = texts.map(text => `a ${text} q1`);
      await subscribeAndLeave(broker, 'a');
      await publish(broker, 'a', texts);
      const again = expected.slice(0, MAX_IN_FLIGHT).map(text => `${text} dup`);
      assert.equal(await read(broker, MAX_IN_FLIGHT, 0), expected.slice(0, MAX_IN_FLIGHT));
      assert.equal(await read(broker, count, count), [...again, ...expected.slice(MAX_IN_FLIGHT)]);
    }),
);

sessions('a message for a subscription at QoS 0 is not stored for an offline session', () =>
  withBroker(async broker => {
    const reader = await broker.client();
    await reader.connect({ clientId: 'reader', clean: false });
    await reader.subscribe('a', 0);
    await reader.leave();
    await publish(broker, 'a', ['1']);
    assert.equal(await read(broker, 0, 0), []);
  }),
);

sessions('a session with the longest client identifier survives a restart of the hub', () =>
  withBroker(async broker => {
    const clientId = 'ü'.repeat(512);
    const client = await broker.client();
    await client.connect({ clientId, clean: false });
    assert.is(brief(await client.subscribe('a', 1)), 'suback 1');
    await client.leave();
    await broker.restart();
    const again = await broker.client();
    assert.is(brief(await again.connect({ clientId, clean: false })), 'connack 0 present');
  }),
);

sessions('a subscription that a client has removed does not return after a restart of the hub', () =>
  withBroker(async broker => {
    await subscribeAndLeave(broker, 'a', 'b');
    const reader = await broker.client();
    await reader.connect({ clientId: 'reader', clean: false });
    reader.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['a'] });
    assert.is(brief(await reader.next()), 'unsuback');
    reader.socket.destroy();
    await broker.restart();
    await publish(broker, 'a', ['lost']);
    await publish(broker, 'b', ['kept']);
    assert.equal(await read(broker, 1, 1), ['b kept q1']);
  }),
);

sessions(
  '[MQTT-3.1.2-6] a clean session deletes the persistent session with the same client identifier',
  () =>
    withBroker(async broker => {
      await subscribeAndLeave(broker, 'a');
      await publish(broker, 'a', ['1']);
      const clean = await broker.client();
      assert.is(brief(await clean.connect({ clientId: 'reader', clean: true })), 'connack 0');
      clean.send({ cmd: 'disconnect' });
      await clean.next();
      await broker.restart();
      const again = await broker.client();
      assert.is(brief(await again.connect({ clientId: 'reader', clean: false })), 'connack 0');
      await publish(broker, 'a', ['2']);
      again.send({ cmd: 'pingreq' });
      assert.is(brief(await again.next()), 'pingresp');
    }),
);

sessions(
  'a client with a clean session receives no message that was published while the client was disconnected',
  () =>
    withBroker(async broker => {
      const reader = await broker.client();
      await reader.connect({ clientId: 'reader', clean: true });
      await reader.subscribe('a', 1);
      await publish(broker, 'a', ['1', '2']);
      assert.equal([brief(await reader.next()), brief(await reader.next())], ['a 1 q1', 'a 2 q1']);
      reader.socket.destroy();
      assert.is(await reader.next(), 'closed');
      await publish(broker, 'a', ['3']);
      const again = await broker.client();
      assert.is(brief(await again.connect({ clientId: 'reader', clean: true })), 'connack 0');
      again.send({ cmd: 'pingreq' });
      assert.is(brief(await again.next()), 'pingresp');
    }),
);

sessions(
  '[MQTT-3.3.1-1] after a restart of the hub only the messages that it sent before the restart have DUP',
  () =>
    withBroker(async broker => {
      const reader = await broker.client();
      await reader.connect({ clientId: 'reader', clean: false });
      await reader.subscribe('t', 1);
      const sender = await broker.client();
      await sender.connect({ clientId: 'sender' });
      sender.publish('t', 'one', 1, 1);
      assert.is(brief(await reader.next()), 't one q1');
      assert.is(brief(await sender.next()), 'puback');
      await broker.restart();
      const again = await broker.client();
      await again.connect({ clientId: 'other' });
      again.publish('t', 'two', 1, 1);
      assert.is(brief(await again.next()), 'puback');
      const resumed = await broker.client();
      assert.is(brief(await resumed.connect({ clientId: 'reader', clean: false })), 'connack 0 present');
      assert.is(brief(await resumed.next()), 't one q1 dup');
      assert.is(brief(await resumed.next()), 't two q1');
    }),
);

sessions.run();
