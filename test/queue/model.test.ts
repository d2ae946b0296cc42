import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LOCAL_CLIENTS } from '../../src/core/capacity/shares.ts';
import type { QueueEntry } from '../../src/queue/types.ts';
import type { StoreHarness } from '../harness/queue.ts';
import { createStoreHarness, messageOf, texts, to } from '../harness/queue.ts';

const QUEUES = ['a', 'b', 'c'];

/** Body sizes in bytes: within the entry, beside the entry, and in separate pages. */
const SIZES = [10, 1_700, 9_000];

type DrainStep = {
  readonly kind: 'drain';
  readonly queue: string;
  readonly window: number;
  /** Outcome of each sent entry. */
  readonly outcomes: readonly ('acknowledge' | 'refuse' | 'retry' | 'requeue' | 'keep')[];
};

type Step =
  | {
      readonly kind: 'append';
      readonly queues: readonly string[];
      readonly priority: number;
      readonly ttl: number | undefined;
      readonly size: number;
      readonly wait: boolean;
      /** True if the message has metadata and must be durable first. */
      readonly durableFirst: boolean;
    }
  | DrainStep
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

/** Reference model: the waiting messages in order, and the number of removed entries. */
type Model = {
  readonly queues: Map<string, Waiting[]>;
  readonly metadata: Set<string>;
  readonly retained: Map<string, { readonly text: string; readonly expires: number }>;
  /** Number of entries that were added to queues. */
  added: number;
  dead: string[];
  /** Hub time in milliseconds before the last restart. */
  time: number;
  /** Number of entries that were removed before the last restart. */
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
      durableFirst: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('drain' as const),
      queue: fc.constantFrom(...QUEUES),
      window: fc.integer({ min: 1, max: 8 }),
      outcomes: fc.array(
        fc.constantFrom('acknowledge', 'acknowledge', 'refuse', 'retry', 'requeue', 'keep'),
        {
          minLength: 1,
          maxLength: 8,
        },
      ),
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

function now(harness: StoreHarness, model: Model): number {
  return model.time + harness.clock.monotonic();
}

function waitingIn(harness: StoreHarness, model: Model, queue: string): Waiting[] {
  const time = now(harness, model);
  const waiting = (model.queues.get(queue) ?? []).filter(({ expires }) => expires > time);
  return waiting.toSorted((one, other) => one.priority - other.priority);
}

function textsIn(harness: StoreHarness, model: Model, queue: string): string[] {
  return waitingIn(harness, model, queue).map(({ text }) => text);
}

function forget(model: Model, queue: string, text: string): void {
  const waiting = model.queues.get(queue) ?? [];
  model.queues.set(
    queue,
    waiting.filter(one => one.text !== text),
  );
}

/** Returns the number of entries that the store has removed since its last start. */
function leftIn(harness: StoreHarness): number {
  const { acknowledged, expired, purged, dead } = harness.store.counts();
  return acknowledged + expired + purged + dead;
}

async function perform(harness: StoreHarness, model: Model, wanted: Step, text: string): Promise<void> {
  switch (wanted.kind) {
    case 'append': {
      const { queues, priority, ttl, wait, durableFirst } = wanted;
      const message = messageOf(text.padEnd(wanted.size), ttl);
      const expires = now(harness, model) + (ttl ?? Number.POSITIVE_INFINITY);
      const destinations = queues.map(queue => to(queue, priority));
      for (const queue of queues) {
        model.queues.set(queue, [
          ...(model.queues.get(queue) ?? []),
          { priority, text: message.body.toString(), expires },
        ]);
      }
      model.added += queues.length;
      const metadata = durableFirst ? { name: `metadata/${text}`, value: Buffer.from(text) } : undefined;
      if (metadata !== undefined) {
        model.metadata.add(metadata.name);
        harness.store.append(message, destinations, error => assert.is(error, undefined), metadata);
        await harness.commit();
      } else if (wait) assert.is(await harness.append(message, destinations), undefined);
      else harness.store.append(message, destinations, error => assert.is(error, undefined));
      return;
    }
    case 'drain':
      return drainWindow(harness, model, wanted);
    case 'retain': {
      const { topic, empty, ttl } = wanted;
      const message = { ...messageOf(empty ? '' : text, ttl), topic };
      harness.store.retained.set(message, LOCAL_CLIENTS, error => assert.is(error, undefined));
      if (empty) model.retained.delete(topic);
      else
        model.retained.set(topic, { text, expires: now(harness, model) + (ttl ?? Number.POSITIVE_INFINITY) });
      return;
    }
    case 'purge':
      harness.store.purge(wanted.queue);
      model.queues.delete(wanted.queue);
      return;
    case 'pass':
      return harness.pass(wanted.milliseconds);
    case 'commit':
      return harness.commit();
    case 'restart':
      return restart(harness, model);
  }
}

async function restart(harness: StoreHarness, model: Model): Promise<void> {
  // Counts begin at 0 after a restart, so pending removals are committed before.
  await harness.commit();
  model.time = now(harness, model);
  model.left += leftIn(harness);
  await harness.restart();
}

/** Drains one window of a queue and applies its outcome to each entry. */
function drainWindow(
  harness: StoreHarness,
  model: Model,
  { queue, window, outcomes }: Omit<DrainStep, 'kind'>,
): void {
  const sent: QueueEntry[] = [];
  const drain = harness.store.drain(queue, {
    window,
    send: entry => sent.length < window && sent.push(entry) > 0,
  });
  drain.wake();
  assert.equal(texts(sent), textsIn(harness, model, queue).slice(0, window));
  for (const [index, entry] of Array.from(sent).entries()) {
    const text = entry.message.body.toString();
    const outcome = outcomes[index] ?? 'keep';
    if (outcome === 'acknowledge') drain.acknowledge(entry);
    if (outcome === 'retry') drain.retry(entry, 'failed');
    if (outcome === 'requeue') drain.requeue(entry);
    if (outcome === 'refuse') {
      drain.reject(entry, 'refused');
      model.dead.push(text);
    }
    if (outcome === 'acknowledge' || outcome === 'refuse') forget(model, queue, text);
  }
  drain.stop();
}

function assertState(harness: StoreHarness, model: Model): void {
  assert.equal(harness.store.names('metadata/'), Array.from(model.metadata).toSorted());
  const { topics, get } = harness.store.retained;
  const alive = Array.from(model.retained).filter(([, { expires }]) => expires > now(harness, model));
  assert.equal(
    topics('').map(topic => [topic, get(topic)?.message.body.toString()]),
    alive.map(([topic, { text }]) => [topic, text]).toSorted(),
  );
}

async function assertMatches(harness: StoreHarness, model: Model): Promise<void> {
  assertState(harness, model);
  await restart(harness, model);
  assertState(harness, model);
  for (const queue of QUEUES) {
    const left = textsIn(harness, model, queue);
    assert.equal(texts(harness.peek(queue)), left);
    assert.equal(harness.deliver(queue, 5), left);
  }
  const letters = harness.store.deadLetters.list().map(({ message }) => message?.body.toString());
  assert.equal(letters.toSorted(), model.dead.toSorted());
  await harness.pass(10_000);
  assert.is(model.left + leftIn(harness), model.added);
  for (const { depth, bytes } of harness.store.stats()) assert.equal([depth, bytes], [0, 0]);
}

const model = suite('queue: comparison with a model');

model('random operations on a store give the same result as on a simple model', () =>
  fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async steps => {
      const harness = await createStoreHarness();
      const plain: Model = {
        queues: new Map(),
        metadata: new Set(),
        retained: new Map(),
        added: 0,
        dead: [],
        time: 0,
        left: 0,
      };
      for (const [index, wanted] of steps.entries())
        await perform(harness, plain, wanted, `message ${index} `);
      await assertMatches(harness, plain);
      assert.is(await harness.finish(), 0);
    }),
    { numRuns: 150 },
  ),
);

model.run();
