import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createResources, DEFAULT_BOUNDS } from '../../src/core/capacity/resources.ts';
import type { Message } from '../../src/core/message.ts';
import { PLAIN } from '../../src/core/message.ts';
import { COMMIT_WINDOW_MS } from '../../src/manifest/limits.ts';
import { openDatabase } from '../../src/queue/disk/database.ts';
import type { StoreSettings } from '../../src/queue/settings.ts';
import { openStore } from '../../src/queue/store.ts';
import type { Destination, QueueEntry, Store, StoreHealth } from '../../src/queue/types.ts';
import type { TestClock } from './clock.ts';
import { createTestClock } from './clock.ts';

/** Real time after which the harness requests a commit. */
const COMMIT_PATIENCE_MS = 500;

/** After this number of requests without a result the store is stuck. */
const MAX_COMMIT_REQUESTS = 120;

/** Store in a folder of its own, with a clock that the test advances. */
export type StoreHarness = {
  readonly clock: TestClock;
  readonly folder: string;
  /** Logged errors of the store. */
  readonly errors: string[];
  readonly warnings: string[];
  store: Store;
  /** Appends a message. Resolves to undefined when the message is durable, otherwise to the error. */
  readonly append: (message: Message, destinations: readonly Destination[]) => Promise<Error | undefined>;
  /** Commits pending changes and resolves when the commit is on disk. */
  readonly commit: () => Promise<void>;
  /** Advances the clock in steps of a second, with a commit in each step. */
  readonly pass: (milliseconds: number) => Promise<void>;
  /** Advances the clock until the store has this state. Rejects after 20 seconds. */
  readonly becomes: (state: StoreHealth['state']) => Promise<void>;
  /**
   * Closes the store and opens it again with a new clock, whose wall time has jumped by `wallJump`
   * milliseconds.
   */
  readonly restart: (wallJump?: number) => Promise<void>;
  /** Opens the store again after a test has closed it. */
  readonly reopen: () => Promise<void>;
  /** Returns the entries that a new drain sends at once, and stops the drain. */
  readonly peek: (queue: string) => QueueEntry[];
  /** Acknowledges all entries of a new drain, `window` at a time. Returns their texts. */
  readonly deliver: (queue: string, window?: number) => string[];
  /**
   * Closes the store and removes the folder. Resolves to the number of entries, bodies and indexes on disk.
   */
  readonly finish: () => Promise<number>;
};

export type StoreHarnessOptions = Partial<Pick<StoreSettings, 'maxSize' | 'whenFull' | 'boundOf' | 'ttl'>> & {
  /** Folder of the store, by default a new one. */
  readonly folder?: string;
};

export async function createStoreHarness({
  maxSize = 1 << 30,
  whenFull = 'reject',
  boundOf = () => undefined,
  ttl,
  folder = newFolder(),
}: StoreHarnessOptions = {}): Promise<StoreHarness> {
  const errors: string[] = [];
  let clock = createTestClock();
  const warnings: string[] = [];
  const log = {
    info: () => {},
    warn: (text: string) => warnings.push(text),
    error: (text: string) => errors.push(text),
  };
  const open = () =>
    openStore({
      folder,
      maxPendingBytes: 4 << 20,
      countRead: () => {},
      maxSize,
      whenFull,
      boundOf,
      ttl,
      commitWindow: COMMIT_WINDOW_MS,
      clock,
      resources: createResources(() => DEFAULT_BOUNDS),
      log,
    });

  /**
   * Waits for the result of `begin` while the clock stands still. Due timers run at once. A write by another
   * sender (a forwarder that reads a socket) can move the commit into the future, where the clock never
   * arrives. So a commit that does not come is requested at once.
   */
  const resultAfter = async <Result>(passed: number, begin: (settle: (result: Result) => void) => void) => {
    let done: { readonly result: Result } | undefined;
    begin(result => {
      done = { result };
    });
    clock.advance(passed);
    const start = performance.now();
    for (let requests = 0; done === undefined; clock.advance(0)) {
      await new Promise(resolve => setImmediate(resolve));
      if (performance.now() < start + (requests + 1) * COMMIT_PATIENCE_MS) continue;
      if (++requests > MAX_COMMIT_REQUESTS) throw new Error(`The store does not commit: ${errors.join(' ')}`);
      harness.store.flushSoon();
    }
    return done.result;
  };

  const harness: StoreHarness = {
    get clock() {
      return clock;
    },
    folder,
    errors,
    warnings,
    store: await open(),
    append: (message, destinations) =>
      resultAfter<Error | undefined>(COMMIT_WINDOW_MS, settle =>
        harness.store.append(message, destinations, settle),
      ),
    commit: async () => {
      await resultAfter(COMMIT_WINDOW_MS, settle => harness.store.put('mark', Buffer.from('x'), settle));
    },
    pass: async milliseconds => {
      for (let left = milliseconds; left > 0; left -= 1000) {
        clock.advance(Math.min(left, 1000));
        await harness.commit();
      }
    },
    becomes: async state => {
      const end = performance.now() + 20_000;
      while (harness.store.health().state !== state) {
        if (performance.now() > end) throw new Error(`The store did not become ${state}.`);
        clock.advance(100);
        await new Promise(resolve => setImmediate(resolve));
      }
    },
    restart: async (wallJump = 0) => {
      await harness.store.close();
      clock = createTestClock(clock.wall() + wallJump);
      await harness.reopen();
    },
    reopen: async () => {
      harness.store = await open();
    },
    peek: queue => {
      const sent: QueueEntry[] = [];
      const drain = harness.store.drain(queue, { window: 100_000, send: entry => sent.push(entry) > 0 });
      drain.wake();
      drain.stop();
      return sent;
    },
    deliver: (queue, window = 1) => {
      const sent: QueueEntry[] = [];
      const drain = harness.store.drain(queue, {
        window,
        send: entry => {
          sent.push(entry);
          drain.acknowledge(entry);
          return true;
        },
      });
      drain.wake();
      drain.stop();
      return texts(sent);
    },
    finish: async () => {
      await harness.store.close();
      const database = await openDatabase(folder);
      const { metadata, ...tables } = database.tables();
      await database.close();
      rmSync(folder, { recursive: true });
      return Object.values(tables).reduce((sum, count) => sum + count, 0);
    },
  };
  return harness;
}

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'skerry-queue-'));
}

/** Returns a message with the body `text`. */
export function messageOf(text: string, ttl?: number): Message {
  return {
    topic: 'a/b',
    body: Buffer.from(text),
    ...PLAIN,
    qos: 1,
    origin: { kind: 'client', client: 'test' },
    ttl,
  };
}

export function to(queue: string, priority = 9, ttl?: number): Destination {
  return { queue, priority, ttl };
}

export function texts(entries: readonly QueueEntry[]): string[] {
  return entries.map(entry => entry.message.body.toString());
}
