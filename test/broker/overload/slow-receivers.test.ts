import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_IN_FLIGHT, MAX_VOLATILE_BACKLOG } from '../../../src/broker/limits.ts';
import { brief, withBroker } from '../../harness/broker.ts';

const receivers = suite('broker: slow receivers');

receivers(
  'a slow client with a clean session receives all messages, also the messages that the hub has moved to disk',
  () =>
    withBroker(async broker => {
      const inMemory = MAX_IN_FLIGHT + MAX_VOLATILE_BACKLOG;
      const sent = inMemory + 500;
      const slow = await broker.client();
      await slow.connect({ clientId: 'slow' });
      await slow.subscribe('flood', 1);
      const sender = await broker.client();
      await sender.connect({ clientId: 'sender' });
      for (let id = 1; id <= sent; id++) sender.publish('flood', String(id), 1, id);
      for (let id = 1; id <= sent; id++) assert.is(brief(await sender.next()), 'puback');
      assert.is(
        broker
          .hub()
          .status()
          .queues.find(({ queue }) => queue.startsWith('session/'))?.depth,
        500,
      );
      const received: string[] = [];
      for (let id = 1; id <= sent; id++) {
        const packet = await slow.next();
        received.push(brief(packet));
        if (packet !== 'closed') slow.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
      }
      assert.equal(
        received,
        Array.from({ length: sent }, (_, index) => `flood ${index + 1} q1`),
      );
      assert.equal(await slow.roundTrip(), []);
      assert.is(broker.hub().status().counts.broker.dropped, 0);
      await slow.leave();
      assert.equal(broker.hub().status().queues, []);
    }),
);

for (const clean of [true, false]) {
  const session = clean ? 'a clean' : 'a persistent';
  receivers(
    `a QoS 1 message for ${session} session with a full socket is delivered when the client reads again`,
    () =>
      withBroker(async broker => {
        const slow = await broker.client();
        await slow.connect({ clientId: 'slow', clean });
        await slow.subscribe('flood', 0);
        await slow.subscribe('durable', 1);
        slow.socket.pause();
        const sender = await broker.client();
        await sender.connect({ clientId: 'sender' });
        for (let n = 0; n < 200; n++) sender.publish('flood', 'x'.repeat(100_000), 0);
        sender.publish('durable', 'x', 1);
        assert.is(brief(await sender.next()), 'puback');
        assert.ok(broker.hub().status().counts.broker.dropped > 0);
        slow.socket.resume();
        let last = await slow.next();
        while (last !== 'closed' && last.cmd === 'publish' && last.topic === 'flood')
          last = await slow.next();
        assert.is(brief(last), 'durable x q1');
      }),
  );
}

receivers.run();
