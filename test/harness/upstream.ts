import type { Message, OnDurable } from '../../src/core/message.ts';
import { keepUpstream } from '../../src/hub/persistence/upstream-session.ts';
import { parseManifest } from '../../src/manifest/read.ts';
import type { MetadataEntry } from '../../src/queue/types.ts';
import type { Forwarder } from '../../src/upstream/forwarder.ts';
import { startForwarder } from '../../src/upstream/forwarder.ts';
import { MAX_START_DELAY_MS } from '../../src/upstream/limits.ts';
import type { StoreHarness as StoreStage } from './queue.ts';
import { createStoreHarness as createStoreStage, messageOf, to } from './queue.ts';

/** A forwarder over a real store and real sockets, under a clock that the test moves. */
export type UpstreamHarness = {
  readonly queue: StoreStage;
  readonly log: string[];
  /** Downstream messages. Durable at once, unless the test handles `settle`. */
  readonly down: Message[];
  takeDown: (message: Message, settle: OnDurable, note?: MetadataEntry) => void;
  /** Starts what the manifest's `upstream` says, in place of what runs. */
  readonly start: (upstream: object) => Forwarder;
  readonly forwarder: () => Forwarder;
  /** Appends texts to the queue that is forwarded. */
  readonly append: (texts: readonly string[], change?: Partial<Message>, priority?: number) => Promise<void>;
  /** Lets time pass, some milliseconds a turn of the loop, until `check` is true. */
  readonly until: (what: string, check: () => boolean, step?: number) => Promise<void>;
  /** Reads the dead letters: their reasons. */
  readonly letters: () => string[];
  /** Stops the forwarder, and starts another on the store opened again, as after a restart. */
  readonly restart: (upstream: object) => Promise<void>;
  readonly finish: () => Promise<void>;
};

const QUEUE = '$upstream';

/** `fraction` is all the chance there is; `wait`: milliseconds that pass at once after a start. */
export async function createUpstreamHarness(
  fraction = 0.5,
  wait = MAX_START_DELAY_MS,
): Promise<UpstreamHarness> {
  const queue = await createStoreStage();
  const log: string[] = [];
  const down: Message[] = [];
  let forwarder: Forwarder | undefined;
  const note = (text: string): void => void log.push(text);

  const stage: UpstreamHarness = {
    queue,
    log,
    down,
    takeDown: (message, settle, kept) => {
      down.push(message);
      if (kept === undefined) settle();
      else queue.store.append(message, [], settle, kept);
    },
    start: upstream => {
      forwarder?.stop();
      const { name, upstreams } = parseManifest(JSON.stringify({ name: 'edge', upstream }), 'm.json');
      const [parsed] = upstreams;
      if (parsed === undefined) throw new Error('There is no upstream.');
      forwarder = startForwarder({
        ...parsed,
        password: undefined,
        device: name,
        home: import.meta.dirname,
        drain: settings => queue.store.drain(QUEUE, settings),
        pressure: queue.store.pressure,
        take: (message, settle, kept) => stage.takeDown(message, settle, kept),
        memory: keepUpstream(queue.store, { info: note, warn: note, error: note }),
        clock: queue.clock,
        random: { fraction: () => fraction, bytes: count => Buffer.alloc(count) },
        log: { info: note, warn: note, error: note },
      });
      queue.clock.advance(wait);
      return forwarder;
    },
    forwarder: () => {
      if (forwarder === undefined) throw new Error('No forwarder was started.');
      return forwarder;
    },
    append: async (texts, change = {}, priority = 9) => {
      for (const text of texts)
        queue.store.append({ ...messageOf(text), ...change }, [to(QUEUE, priority)], () => {});
      await queue.commit();
    },
    until: async (what, check, step = 1) => {
      const end = performance.now() + 20_000;
      while (!check()) {
        if (performance.now() > end)
          throw new Error(`It never came true that ${what}: ${log.slice(-5).join(' ')}`);
        await new Promise(done => setImmediate(done));
        queue.clock.advance(step);
      }
    },
    letters: () => queue.store.deadLetters.list().map(({ reason }) => reason),
    restart: async upstream => {
      forwarder?.stop();
      await queue.restart();
      stage.start(upstream);
    },
    finish: async () => {
      forwarder?.stop();
      await queue.finish();
    },
  };
  return stage;
}

/** Texts `0` to `count - 1`. */
export function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}
