import type { Message, OnDurable } from '../../src/core/message.ts';
import { keepUpstream } from '../../src/hub/persistence/upstream-session.ts';
import { parseManifest } from '../../src/manifest/read.ts';
import type { MetadataEntry } from '../../src/queue/types.ts';
import type { Forwarder } from '../../src/upstream/forwarder.ts';
import { startForwarder } from '../../src/upstream/forwarder.ts';
import { MAX_START_DELAY_MS } from '../../src/upstream/limits.ts';
import type { StoreHarness } from './queue.ts';
import { createStoreHarness, messageOf, to } from './queue.ts';

/** A forwarder with a real store, real sockets and a clock that the test advances. */
export type UpstreamHarness = {
  readonly queue: StoreHarness;
  readonly log: string[];
  /** Messages from upstream. They are settled at once unless the test replaces `receive`. */
  readonly down: Message[];
  receive: (message: Message, settle: OnDurable, note?: MetadataEntry) => void;
  /** Stops the current forwarder and starts one with the field `upstream` of a manifest. */
  readonly start: (upstream: object) => Forwarder;
  /** Current forwarder. */
  readonly forwarder: () => Forwarder;
  /** Appends messages with these bodies to the forwarded queue. */
  readonly append: (texts: readonly string[], change?: Partial<Message>, priority?: number) => Promise<void>;
  /** Advances the clock by `step` milliseconds per turn of the event loop until `check` returns true. */
  readonly until: (what: string, check: () => boolean, step?: number) => Promise<void>;
  /** Reasons of the dead letters. */
  readonly deadLetterReasons: () => string[];
  /** Stops the forwarder, reopens the store and starts another forwarder. */
  readonly restart: (upstream: object) => Promise<void>;
  readonly finish: () => Promise<void>;
};

const QUEUE = '$upstream';

/** `fraction` is the only random value. The clock advances by `wait` milliseconds after each start. */
export async function createUpstreamHarness(
  fraction = 0.5,
  wait = MAX_START_DELAY_MS,
): Promise<UpstreamHarness> {
  const queue = await createStoreHarness();
  const log: string[] = [];
  const down: Message[] = [];
  let forwarder: Forwarder | undefined;
  const note = (text: string): void => void log.push(text);

  const harness: UpstreamHarness = {
    queue,
    log,
    down,
    receive: (message, settle, kept) => {
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
        take: (message, settle, kept) => harness.receive(message, settle, kept),
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
          throw new Error(`Timed out waiting until ${what}: ${log.slice(-5).join(' ')}`);
        await new Promise(done => setImmediate(done));
        queue.clock.advance(step);
      }
    },
    deadLetterReasons: () => queue.store.deadLetters.list().map(({ reason }) => reason),
    restart: async upstream => {
      forwarder?.stop();
      await queue.restart();
      harness.start(upstream);
    },
    finish: async () => {
      forwarder?.stop();
      await queue.finish();
    },
  };
  return harness;
}

/** Returns the texts `0` to `count - 1`. */
export function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index));
}
