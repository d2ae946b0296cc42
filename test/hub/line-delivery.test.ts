import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createLineDelivery } from '../../src/hub/modules/line-delivery.ts';
import type { QueueEntry } from '../../src/queue/types.ts';
import { createStoreHarness, messageOf, to } from '../harness/queue.ts';

const delivery = suite('hub: delivery of lines');

/** Returns an entry whose body throws if it is `"bad"`. */
function withThrowingBody(entry: QueueEntry): QueueEntry {
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
  delivery(
    `a message that cannot be encoded as ${kind} becomes a dead letter, and the next message is delivered`,
    async () => {
      const harness = await createStoreHarness();
      for (const text of ['"bad"', '"good"']) await harness.append(messageOf(text), [to('a')]);
      const written: string[] = [];
      const errors: string[] = [];
      const log = { info: () => {}, warn: () => {}, error: (text: string) => errors.push(text) };
      const write = (line: Buffer): boolean => written.push(line.toString()) > 0;
      const lineDelivery = createLineDelivery({ module: 'm', ack, write, log });
      lineDelivery.use([
        {
          input: 'in',
          drain: settings =>
            harness.store.drain('a', { ...settings, send: entry => settings.send(withThrowingBody(entry)) }),
        },
      ]);
      lineDelivery.writable();
      lineDelivery.stop();
      await harness.commit();
      assert.equal(written, [ack ? '{"id":1,"input":"in","body":"good"}' : '"good"']);
      const reasons = harness.store.deadLetters.list().map(({ reason }) => reason);
      assert.equal(reasons, ['it cannot be encoded as a line: Maximum call stack size exceeded']);
      assert.is(errors.length, 1);
      await harness.finish();
    },
  );
}

delivery.run();
