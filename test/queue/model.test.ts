import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LOCAL_CLIENTS } from '../../src/core/capacity/shares.ts';
import type { QueueEntry } from '../../src/queue/types.ts';
import type { StoreHarness } from '../harness/queue.ts';
import { createStoreHarness, messageOf, texts, to } from '../harness/queue.ts';

const QUEUES = ['a', 'b', 'c'];

/** Bytes of the bodies: with the entry, beside it, with pages of their own. */
const SIZES = [10, 1_700, 9_000];

type Take = {
  readonly kind: 'take';
  readonly queue: string;
  readonly window: number;
  /** Outcome of each sent entry. */
  readonly fates: readonly ('acknowledge' | 'refuse' | 'retry' | 'giveBack' | 'keep')[];
};

type Step =
  | {
      readonly kind: 'append';
      readonly queues: readonly string[];
      readonly priority: number;
      readonly ttl: number | undefined;
      readonly size: number;
      readonly wait: boolean;
      /** True if it has metadata and must be durable first. */
      readonly firm: boolean;
    }
  | Take
  | {
      readonly kind: 'retain';
      readonly topic: string;
      readonly empty: boolean;
      readonly ttl: number | undefined;
    }
  | { readonly kind: 'purge'; readonly queue: string }
  | { readonly kind: 'pass'; readonly milliseconds: number }
  | { readonly kind: 'commit' | 'restart' };

type Waiting = { readonly priority: number; readonly text: string; readonly expires: number };

/** The plainest queue there is: what waits, in order, and how many have left each way. */
type Model = {
  readonly queues: Map<string, Waiting[]>;
  readonly notes: Set<string>;
  readonly retained: Map<string, { readonly text: string; readonly expires: number }>;
  /** Entries that were put into queues, and the dead. */
  held: number;
  dead: string[];
  /** Hub time (ms) before the last restart, and what the store counted until then. */
  time: number;
  left: number;
};

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      queues: fc.subarray(QUEUES, { minLength: 1 }),
      priority: fc.constantFrom(0, 4, 9),
      ttl: fc.option(fc.integer({ min: 100, max: 20_000 }), { nil: undefined }),
      size: fc.constantFrom(...SIZES),
      wait: fc.boolean(),
      firm: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('take' as const),
      queue: fc.constantFrom(...QUEUES),
      window: fc.integer({ min: 1, max: 8 }),
      fates: fc.array(fc.constantFrom('acknowledge', 'acknowledge', 'refuse', 'retry', 'giveBack', 'keep'), {
        minLength: 1,
        maxLength: 8,
      }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('retain' as const),
      topic: fc.constantFrom('1', '2', '3'),
      empty: fc.boolean(),
      ttl: fc.option(fc.integer({ min: 100, max: 20_000 }), { nil: undefined }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('purge' as const), queue: fc.constantFrom(...QUEUES) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      milliseconds: fc.integer({ min: 1, max: 9_000 }),
    }),
  },
  { weight: 2, arbitrary: fc.constantFrom<Step>({ kind: 'commit' }, { kind: 'restart' }) },
);

function now(stage: StoreHarness, model: Model): number {
  return model.time + stage.clock.monotonic();
}

function waitingIn(stage: StoreHarness, model: Model, queue: string): Waiting[] {
  const time = now(stage, model);
  const waiting = (model.queues.get(queue) ?? []).filter(({ expires }) => expires > time);
  return waiting.toSorted((one, other) => one.priority - other.priority);
}

function textsIn(stage: StoreHarness, model: Model, queue: string): string[] {
  return waitingIn(stage, model, queue).map(({ text }) => text);
}

function forget(model: Model, queue: string, text: string): void {
  const waiting = model.queues.get(queue) ?? [];
  model.queues.set(
    queue,
    waiting.filter(one => one.text !== text),
  );
}

/** Entries that the store counts as gone, in this run of it. */
function leftIn(stage: StoreHarness): number {
  const { acknowledged, expired, purged, dead } = stage.store.counts();
  return acknowledged + expired + purged + dead;
}

async function perform(stage: StoreHarness, model: Model, wanted: Step, text: string): Promise<void> {
  switch (wanted.kind) {
    case 'append': {
      const { queues, priority, ttl, wait, firm } = wanted;
      const message = messageOf(text.padEnd(wanted.size), ttl);
      const expires = now(stage, model) + (ttl ?? Number.POSITIVE_INFINITY);
      const destinations = queues.map(queue => to(queue, priority));
      for (const queue of queues) {
        model.queues.set(queue, [
          ...(model.queues.get(queue) ?? []),
          { priority, text: message.body.toString(), expires },
        ]);
      }
      model.held += queues.length;
      const note = firm ? { name: `note/${text}`, value: Buffer.from(text) } : undefined;
      if (note !== undefined) {
        model.notes.add(note.name);
        stage.store.append(message, destinations, error => assert.is(error, undefined), note);
        await stage.commit();
      } else if (wait) assert.is(await stage.append(message, destinations), undefined);
      else stage.store.append(message, destinations, error => assert.is(error, undefined));
      return;
    }
    case 'take':
      return take(stage, model, wanted);
    case 'retain': {
      const { topic, empty, ttl } = wanted;
      const message = { ...messageOf(empty ? '' : text, ttl), topic };
      stage.store.retained.set(message, LOCAL_CLIENTS, error => assert.is(error, undefined));
      if (empty) model.retained.delete(topic);
      else
        model.retained.set(topic, { text, expires: now(stage, model) + (ttl ?? Number.POSITIVE_INFINITY) });
      return;
    }
    case 'purge':
      stage.store.purge(wanted.queue);
      model.queues.delete(wanted.queue);
      return;
    case 'pass':
      return stage.pass(wanted.milliseconds);
    case 'commit':
      return stage.commit();
    case 'restart':
      return restart(stage, model);
  }
}

async function restart(stage: StoreHarness, model: Model): Promise<void> {
  // Counts restart, so entries in flight must have left before.
  await stage.commit();
  model.time = now(stage, model);
  model.left += leftIn(stage);
  await stage.restart();
}

/** Drains one window of a queue, and lets each entry have its fate. */
function take(stage: StoreHarness, model: Model, { queue, window, fates }: Omit<Take, 'kind'>): void {
  const sent: QueueEntry[] = [];
  const drain = stage.store.drain(queue, {
    window,
    send: entry => sent.length < window && sent.push(entry) > 0,
  });
  drain.wake();
  assert.equal(texts(sent), textsIn(stage, model, queue).slice(0, window));
  for (const [index, entry] of Array.from(sent).entries()) {
    const text = entry.message.body.toString();
    const fate = fates[index] ?? 'keep';
    if (fate === 'acknowledge') drain.acknowledge(entry);
    if (fate === 'retry') drain.retry(entry, 'failed');
    if (fate === 'giveBack') drain.requeue(entry);
    if (fate === 'refuse') {
      drain.reject(entry, 'refused');
      model.dead.push(text);
    }
    if (fate === 'acknowledge' || fate === 'refuse') forget(model, queue, text);
  }
  drain.stop();
}

function judgeState(stage: StoreHarness, model: Model): void {
  assert.equal(stage.store.names('note/'), Array.from(model.notes).toSorted());
  const { topics, get } = stage.store.retained;
  const alive = Array.from(model.retained).filter(([, { expires }]) => expires > now(stage, model));
  assert.equal(
    topics('').map(topic => [topic, get(topic)?.message.body.toString()]),
    alive.map(([topic, { text }]) => [topic, text]).toSorted(),
  );
}

async function judge(stage: StoreHarness, model: Model): Promise<void> {
  judgeState(stage, model);
  await restart(stage, model);
  judgeState(stage, model);
  for (const queue of QUEUES) {
    const left = textsIn(stage, model, queue);
    assert.equal(texts(stage.peek(queue)), left);
    assert.equal(stage.deliver(queue, 5), left);
  }
  const letters = stage.store.deadLetters.list().map(({ message }) => message?.body.toString());
  assert.equal(letters.toSorted(), model.dead.toSorted());
  await stage.pass(10_000);
  assert.is(model.left + leftIn(stage), model.held);
  for (const { depth, bytes } of stage.store.stats()) assert.equal([depth, bytes], [0, 0]);
}

const model = suite('queue: against a plain model');

model(
  'random operations give what the model gives; nothing vanishes uncounted, nothing is left on disk',
  () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async steps => {
        const stage = await createStoreHarness();
        const plain: Model = {
          queues: new Map(),
          notes: new Set(),
          retained: new Map(),
          held: 0,
          dead: [],
          time: 0,
          left: 0,
        };
        for (const [index, wanted] of steps.entries())
          await perform(stage, plain, wanted, `message ${index} `);
        await judge(stage, plain);
        assert.is(await stage.finish(), 0);
      }),
      { numRuns: 150 },
    ),
);

model.run();
