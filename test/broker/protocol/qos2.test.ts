import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Client } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';
import { published, publishOf } from '../../harness/clients/mqtt5.ts';

const qos2 = suite('broker: QoS 2');

/** Receives a QoS 2 message and completes its handshake, which must use one packet identifier. */
async function receiveExactlyOnce(client: Client): Promise<string> {
  const packet = await published(client);
  const messageId = packet.messageId ?? 0;
  client.send({ cmd: 'pubrec', messageId });
  const release = await client.next();
  assert.is(release !== 'closed' && release.cmd === 'pubrel' && release.messageId, messageId);
  client.send({ cmd: 'pubcomp', messageId });
  return packet.payload.toString();
}

async function sendExactlyOnce(
  client: Client,
  topic: string,
  payload: string,
  messageId: number,
): Promise<void> {
  client.send({ ...publishOf(topic, payload, 2), messageId });
  assert.is(brief(await client.next()), 'pubrec');
  client.send({ cmd: 'pubrel', messageId });
  assert.is(brief(await client.next()), 'pubcomp');
}

qos2('a repeated QoS 2 PUBLISH is stored once, also on a new connection or after a restart of the hub', () =>
  withBroker(async broker => {
    const persistent = { clean: false, properties: { sessionExpiryInterval: 1000 } };
    const reader = await broker.client(5);
    await reader.connect({ clientId: 'reader', ...persistent });
    await reader.subscribe('a', 2);
    await reader.leave();
    const sender = await broker.client(5);
    await sender.connect({ clientId: 'sender', ...persistent });
    sender.send({ ...publishOf('a', 'one', 2), messageId: 9 });
    assert.is(brief(await sender.next()), 'pubrec');
    sender.socket.destroy();
    const again = await broker.client(5);
    await again.connect({ clientId: 'sender', ...persistent });
    again.send({
      cmd: 'publish',
      topic: 'a',
      payload: 'one',
      qos: 2,
      dup: true,
      retain: false,
      messageId: 9,
    });
    assert.is(brief(await again.next()), 'pubrec');
    await broker.restart();
    const third = await broker.client(5);
    assert.is(brief(await third.connect({ clientId: 'sender', ...persistent })), 'connack 0 present');
    third.send({
      cmd: 'publish',
      topic: 'a',
      payload: 'one',
      qos: 2,
      dup: true,
      retain: false,
      messageId: 9,
    });
    assert.is(brief(await third.next()), 'pubrec');
    third.send({ cmd: 'pubrel', messageId: 9 });
    assert.is(brief(await third.next()), 'pubcomp');
    await sendExactlyOnce(third, 'a', 'two', 9);
    const last = await broker.client(5);
    const one = { ...persistent.properties, receiveMaximum: 1 };
    await last.connect({ clientId: 'reader', clean: false, properties: one });
    assert.equal([await receiveExactlyOnce(last), await receiveExactlyOnce(last)], ['one', 'two']);
    assert.equal(await last.roundTrip(), []);
  }),
);

qos2(
  '[MQTT-4.3.3-7] after a restart the hub sends PUBREL, not PUBLISH, for a message whose PUBREC it has received',
  () =>
    withBroker(async broker => {
      const persistent = { clientId: 'reader', clean: false, properties: { sessionExpiryInterval: 1000 } };
      const reader = await broker.client(5);
      await reader.connect(persistent);
      await reader.subscribe('a', 2);
      const sender = await broker.client(5);
      await sender.connect({ clientId: 'sender' });
      await sendExactlyOnce(sender, 'a', 'one', 1);
      await sendExactlyOnce(sender, 'a', 'two', 2);
      const [one, two] = [await published(reader), await published(reader)];
      reader.send({ cmd: 'pubrec', messageId: one.messageId ?? 0 });
      assert.is(brief(await reader.next()), 'pubrel');
      reader.socket.destroy();
      await broker.restart();
      const again = await broker.client(5);
      await again.connect(persistent);
      const release = await again.next();
      assert.is(release !== 'closed' && release.cmd === 'pubrel' && release.messageId, one.messageId);
      const repeated = await published(again);
      assert.equal([repeated.payload.toString(), repeated.messageId], ['two', two.messageId]);
      again.send({ cmd: 'pubcomp', messageId: one.messageId ?? 0 });
      again.send({ cmd: 'pubrec', messageId: two.messageId ?? 0 });
      assert.is(brief(await again.next()), 'pubrel');
      again.send({ cmd: 'pubcomp', messageId: two.messageId ?? 0 });
      assert.equal(await again.roundTrip(), []);
    }),
);

qos2(
  'a PUBREC with an unknown packet identifier is answered with PUBREL only if it has no error code [MQTT-4.3.3-4]',
  () =>
    withBroker(async broker => {
      const client = await broker.client(5);
      await client.connect({});
      client.send({ cmd: 'pubrec', messageId: 7, reasonCode: 0x80 });
      client.send({ cmd: 'pubrec', messageId: 8 });
      const answer = await client.next();
      assert.is(answer !== 'closed' && answer.cmd === 'pubrel' && answer.messageId, 8);
      assert.equal(await client.roundTrip(), []);
    }),
);

qos2.run();
