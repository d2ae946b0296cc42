import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_IN_FLIGHT, MAX_VOLATILE_BACKLOG } from '../../../src/broker/limits.ts';
import { brief, withBroker } from '../../harness/broker.ts';

const receivers = suite('broker: slow receivers');

receivers(
  'a clean session that does not acknowledge is owed all: its window, some in memory, the rest on disk',
  () =>
    withBroker(async stage => {
      const kept = MAX_IN_FLIGHT + MAX_VOLATILE_BACKLOG;
      const sent = kept + 500;
      const slow = await stage.client();
      await slow.connect({ clientId: 'slow' });
      await slow.subscribe('flood', 1);
      const sender = await stage.client();
      await sender.connect({ clientId: 'sender' });
      for (let id = 1; id <= sent; id++) sender.publish('flood', String(id), 1, id);
      for (let id = 1; id <= sent; id++) assert.is(brief(await sender.next()), 'puback');
      assert.is(
        stage
          .hub()
          .status()
          .queues.find(({ queue }) => queue.startsWith('session/'))?.depth,
        500,
      );
      const came: string[] = [];
      for (let id = 1; id <= sent; id++) {
        const packet = await slow.next();
        came.push(brief(packet));
        if (packet !== 'closed') slow.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
      }
      assert.equal(
        came,
        Array.from({ length: sent }, (_, index) => `flood ${index + 1} q1`),
      );
      assert.equal(await slow.roundTrip(), []);
      assert.is(stage.hub().status().counts.broker.dropped, 0);
      await slow.leave();
      assert.equal(stage.hub().status().queues, []);
    }),
);

for (const clean of [true, false]) {
  const session = clean ? 'a clean' : 'a persistent';
  receivers(`what ${session} session is owed while its socket is full comes once it reads again`, () =>
    withBroker(async stage => {
      const slow = await stage.client();
      await slow.connect({ clientId: 'slow', clean });
      await slow.subscribe('flood', 0);
      await slow.subscribe('owed', 1);
      slow.socket.pause();
      const sender = await stage.client();
      await sender.connect({ clientId: 'sender' });
      for (let n = 0; n < 200; n++) sender.publish('flood', 'x'.repeat(100_000), 0);
      sender.publish('owed', 'x', 1);
      assert.is(brief(await sender.next()), 'puback');
      assert.ok(stage.hub().status().counts.broker.dropped > 0);
      slow.socket.resume();
      let last = await slow.next();
      while (last !== 'closed' && last.cmd === 'publish' && last.topic === 'flood') last = await slow.next();
      assert.is(brief(last), 'owed x q1');
    }),
  );
}

receivers.run();
