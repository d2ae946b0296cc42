import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createLineDelivery } from '../../src/hub/modules/line-delivery.ts';
import type { QueueEntry } from '../../src/queue/types.ts';
import { createStoreHarness, messageOf, to } from '../harness/queue.ts';

const feeds = suite('hub: feeds');

/** An entry whose message makes a line fail, if its body says so. */
function spoilt(entry: QueueEntry): QueueEntry {
  if (entry.message.body.toString() !== '"bad"') return entry;
  const message = {
    ...entry.message,
    get body(): Buffer {
      throw new RangeError('Maximum call stack size exceeded');
    },
  };
  return { ...entry, message };
}

for (const ack of [false, true]) {
  const kind = ack ? 'a task' : 'a line';
  feeds(
    `a message that ${kind} cannot be made of becomes a dead letter, and the next is delivered`,
    async () => {
      const stage = await createStoreHarness();
      for (const text of ['"bad"', '"good"']) await stage.append(messageOf(text), [to('a')]);
      const written: string[] = [];
      const errors: string[] = [];
      const log = { info: () => {}, warn: () => {}, error: (text: string) => errors.push(text) };
      const write = (line: Buffer): boolean => written.push(line.toString()) > 0;
      const feed = createLineDelivery({ module: 'm', ack, write, log });
      feed.use([
        {
          input: 'in',
          drain: settings =>
            stage.store.drain('a', { ...settings, send: entry => settings.send(spoilt(entry)) }),
        },
      ]);
      feed.writable();
      feed.stop();
      await stage.commit();
      assert.equal(written, [ack ? '{"id":1,"input":"in","body":"good"}' : '"good"']);
      const reasons = stage.store.deadLetters.list().map(({ reason }) => reason);
      assert.equal(reasons, ['no line can be made of it: Maximum call stack size exceeded']);
      assert.is(errors.length, 1);
      await stage.finish();
    },
  );
}

feeds.run();
