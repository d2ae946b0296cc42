import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Entry } from '../../src/queue/types.ts';
import type { Stage } from './stage.ts';
import { createStage, messageOf, texts, to } from './stage.ts';

const QUEUES = ['a', 'b', 'c'];

type Step =
  | {
      readonly kind: 'append';
      readonly queues: readonly string[];
      readonly priority: number;
      readonly wait: boolean;
    }
  | { readonly kind: 'take'; readonly queue: string; readonly window: number; readonly keep: number }
  | { readonly kind: 'commit' | 'restart' };

/** The plainest queue there is: what waits, in order. */
type Model = Map<string, { readonly priority: number; readonly text: string }[]>;

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      queues: fc.subarray(QUEUES, { minLength: 1 }),
      priority: fc.constantFrom(0, 4, 9),
      wait: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('take' as const),
      queue: fc.constantFrom(...QUEUES),
      window: fc.integer({ min: 1, max: 8 }),
      keep: fc.integer({ min: 0, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.constantFrom<Step>({ kind: 'commit' }, { kind: 'restart' }) },
);

function expected(model: Model, queue: string): string[] {
  const waiting = model.get(queue) ?? [];
  return waiting.toSorted((one, other) => one.priority - other.priority).map(({ text }) => text);
}

async function perform(stage: Stage, model: Model, wanted: Step, text: string): Promise<void> {
  switch (wanted.kind) {
    case 'append': {
      const { queues, priority, wait } = wanted;
      const destinations = queues.map(queue => to(queue, priority));
      if (wait) assert.is(await stage.append(messageOf(text), destinations), undefined);
      else stage.store.append(messageOf(text), destinations, error => assert.is(error, undefined));
      for (const queue of queues) model.set(queue, [...(model.get(queue) ?? []), { priority, text }]);
      return;
    }
    case 'take':
      return take(stage, model, wanted.queue, wanted.window, wanted.keep);
    case 'commit':
      return stage.commit();
    case 'restart':
      return stage.restart();
  }
}

/** Drains one window of a queue and acknowledges all of it but the last `keep`. */
function take(stage: Stage, model: Model, queue: string, window: number, keep: number): void {
  const sent: Entry[] = [];
  const drain = stage.store.drain(queue, {
    window,
    send: entry => sent.length < window && sent.push(entry) > 0,
  });
  drain.wake();
  assert.equal(texts(sent), expected(model, queue).slice(0, window));
  for (const entry of sent.slice(0, Math.max(0, sent.length - keep))) {
    drain.acknowledge(entry);
    const text = entry.message.body.toString();
    model.set(
      queue,
      (model.get(queue) ?? []).filter(waiting => waiting.text !== text),
    );
  }
  drain.stop();
}

const model = suite('queue: against a plain model');

model(
  'random appends, drains, commits and restarts give what the model gives, and leak no body',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
        const stage = await createStage();
        const waiting: Model = new Map();
        for (const [index, wanted] of steps.entries())
          await perform(stage, waiting, wanted, `message ${index}`);
        await stage.restart();
        for (const queue of QUEUES) {
          const left = expected(waiting, queue);
          assert.equal(texts(stage.peek(queue)), left);
          const stats = stage.store.stats().find(known => known.queue === queue);
          assert.is(stats?.depth ?? 0, left.length);
          take(stage, waiting, queue, 1000, 0);
        }
        await stage.commit();
        assert.equal(await stage.finish(), { bodies: false });
      }),
      { numRuns: 60 },
    );
  },
);

model.run();
