import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_IN_FLIGHT } from '../../../src/broker/limits.ts';
import type { BrokerHarness } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';

const sessions = suite('broker: persistent sessions');

async function subscribeAndLeave(stage: BrokerHarness, ...filters: string[]): Promise<void> {
  const reader = await stage.client();
  await reader.connect({ clientId: 'reader', clean: false });
  for (const filter of filters) await reader.subscribe(filter, 1);
  reader.send({ cmd: 'disconnect' });
  await reader.next();
}

async function publish(stage: BrokerHarness, topic: string, texts: readonly string[]): Promise<void> {
  const sender = await stage.client();
  await sender.connect({ clientId: 'sender' });
  for (const [index, text] of texts.entries()) sender.publish(topic, text, 1, index + 1);
  for (const _ of texts) assert.is(brief(await sender.next()), 'puback');
  sender.socket.destroy();
}

/** Connects again and takes `count` messages, acknowledging the first `acknowledged` of them. */
async function read(stage: BrokerHarness, count: number, acknowledged: number): Promise<string[]> {
  const reader = await stage.client();
  assert.is(brief(await reader.connect({ clientId: 'reader', clean: false })), 'connack 0 present');
  const came: string[] = [];
  for (let n = 0; n < count; n++) {
    const packet = await reader.next();
    came.push(brief(packet));
    if (packet !== 'closed' && n < acknowledged)
      reader.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
  }
  reader.send({ cmd: 'pingreq' });
  assert.is(brief(await reader.next()), 'pingresp');
  reader.socket.destroy();
  return came;
}

sessions('what came while it was away is delivered in order', () =>
  withBroker(async stage => {
    await subscribeAndLeave(stage, 'a');
    await publish(stage, 'a', ['1', '2', '3']);
    assert.equal(await read(stage, 3, 3), ['a 1 q1', 'a 2 q1', 'a 3 q1']);
    assert.equal(await read(stage, 0, 0), []);
  }),
);

sessions('subscriptions and messages outlive a restart of the hub', () =>
  withBroker(async stage => {
    await subscribeAndLeave(stage, 'a', 'b');
    await publish(stage, 'a', ['1', '2']);
    await stage.restart();
    await publish(stage, 'b', ['3']);
    assert.equal(await read(stage, 3, 3), ['a 1 q1', 'a 2 q1', 'b 3 q1']);
  }),
);

sessions('[MQTT-4.4.0-1] what was not acknowledged comes again, marked DUP, before anything new', () =>
  withBroker(async stage => {
    await subscribeAndLeave(stage, 'a');
    await publish(stage, 'a', ['1', '2', '3']);
    assert.equal(await read(stage, 3, 1), ['a 1 q1', 'a 2 q1', 'a 3 q1']);
    await publish(stage, 'a', ['4']);
    assert.equal(await read(stage, 3, 3), ['a 2 q1 dup', 'a 3 q1 dup', 'a 4 q1']);
  }),
);

sessions('what was not acknowledged comes again after a restart of the hub, too', () =>
  withBroker(async stage => {
    await subscribeAndLeave(stage, 'a');
    await publish(stage, 'a', ['1', '2', '3']);
    assert.equal(await read(stage, 3, 1), ['a 1 q1', 'a 2 q1', 'a 3 q1']);
    await stage.restart();
    assert.equal(await read(stage, 2, 2), ['a 2 q1 dup', 'a 3 q1 dup']);
    assert.equal(await read(stage, 0, 0), []);
  }),
);

sessions('[MQTT-4.4.0-1] the connection that takes a session over is sent what the other owed', () =>
  withBroker(async stage => {
    await subscribeAndLeave(stage, 'a');
    const first = await stage.client();
    await first.connect({ clientId: 'reader', clean: false });
    await publish(stage, 'a', ['1', '2']);
    assert.equal([brief(await first.next()), brief(await first.next())], ['a 1 q1', 'a 2 q1']);
    assert.equal(await read(stage, 2, 2), ['a 1 q1 dup', 'a 2 q1 dup']);
    assert.is(await first.next(), 'closed');
  }),
);

sessions('of a long queue a window is sent, and one more for each acknowledgement, in order', () =>
  withBroker(async stage => {
    const count = 3 * MAX_IN_FLIGHT;
    const texts = Array.from({ length: count }, (_, index) => String(index));
    const expected = texts.map(text => `a ${text} q1`);
    await subscribeAndLeave(stage, 'a');
    await publish(stage, 'a', texts);
    const again = expected.slice(0, MAX_IN_FLIGHT).map(text => `${text} dup`);
    assert.equal(await read(stage, MAX_IN_FLIGHT, 0), expected.slice(0, MAX_IN_FLIGHT));
    assert.equal(await read(stage, count, count), [...again, ...expected.slice(MAX_IN_FLIGHT)]);
  }),
);

sessions('what it subscribed to at QoS 0 is not kept for it', () =>
  withBroker(async stage => {
    const reader = await stage.client();
    await reader.connect({ clientId: 'reader', clean: false });
    await reader.subscribe('a', 0);
    await reader.leave();
    await publish(stage, 'a', ['1']);
    assert.equal(await read(stage, 0, 0), []);
  }),
);

sessions('the longest identifier is kept like any other', () =>
  withBroker(async stage => {
    const clientId = 'ü'.repeat(512);
    const client = await stage.client();
    await client.connect({ clientId, clean: false });
    assert.is(brief(await client.subscribe('a', 1)), 'suback 1');
    await client.leave();
    await stage.restart();
    const again = await stage.client();
    assert.is(brief(await again.connect({ clientId, clean: false })), 'connack 0 present');
  }),
);

sessions('UNSUBSCRIBE outlives a restart of the hub', () =>
  withBroker(async stage => {
    await subscribeAndLeave(stage, 'a', 'b');
    const reader = await stage.client();
    await reader.connect({ clientId: 'reader', clean: false });
    reader.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['a'] });
    assert.is(brief(await reader.next()), 'unsuback');
    reader.socket.destroy();
    await stage.restart();
    await publish(stage, 'a', ['lost']);
    await publish(stage, 'b', ['kept']);
    assert.equal(await read(stage, 1, 1), ['b kept q1']);
  }),
);

sessions('[MQTT-3.1.2-6] a clean session on top discards what was kept, for good', () =>
  withBroker(async stage => {
    await subscribeAndLeave(stage, 'a');
    await publish(stage, 'a', ['1']);
    const clean = await stage.client();
    assert.is(brief(await clean.connect({ clientId: 'reader', clean: true })), 'connack 0');
    clean.send({ cmd: 'disconnect' });
    await clean.next();
    await stage.restart();
    const again = await stage.client();
    assert.is(brief(await again.connect({ clientId: 'reader', clean: false })), 'connack 0');
    await publish(stage, 'a', ['2']);
    again.send({ cmd: 'pingreq' });
    assert.is(brief(await again.next()), 'pingresp');
  }),
);

sessions('a clean session gets QoS 1 at QoS 1 while it is there, and nothing afterwards', () =>
  withBroker(async stage => {
    const reader = await stage.client();
    await reader.connect({ clientId: 'reader', clean: true });
    await reader.subscribe('a', 1);
    await publish(stage, 'a', ['1', '2']);
    assert.equal([brief(await reader.next()), brief(await reader.next())], ['a 1 q1', 'a 2 q1']);
    reader.socket.destroy();
    assert.is(await reader.next(), 'closed');
    await publish(stage, 'a', ['3']);
    const again = await stage.client();
    assert.is(brief(await again.connect({ clientId: 'reader', clean: true })), 'connack 0');
    again.send({ cmd: 'pingreq' });
    assert.is(brief(await again.next()), 'pingresp');
  }),
);

sessions(
  '[MQTT-3.3.1-1] what was sent and not acknowledged is repeated with DUP after a restart, what follows is not',
  () =>
    withBroker(async stage => {
      const reader = await stage.client();
      await reader.connect({ clientId: 'reader', clean: false });
      await reader.subscribe('t', 1);
      const sender = await stage.client();
      await sender.connect({ clientId: 'sender' });
      sender.publish('t', 'one', 1, 1);
      assert.is(brief(await reader.next()), 't one q1');
      assert.is(brief(await sender.next()), 'puback');
      await stage.restart();
      const again = await stage.client();
      await again.connect({ clientId: 'other' });
      again.publish('t', 'two', 1, 1);
      assert.is(brief(await again.next()), 'puback');
      const resumed = await stage.client();
      assert.is(brief(await resumed.connect({ clientId: 'reader', clean: false })), 'connack 0 present');
      assert.is(brief(await resumed.next()), 't one q1 dup');
      assert.is(brief(await resumed.next()), 't two q1');
    }),
);

sessions.run();
