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

/** A real store in a folder of its own, under a clock that the test moves. */
export type StoreHarness = {
  readonly clock: TestClock;
  readonly folder: string;
  /** Log of the store. */
  readonly errors: string[];
  readonly warnings: string[];
  store: Store;
  /** Appends and resolves when it was settled, to the error if there was one. */
  readonly append: (message: Message, destinations: readonly Destination[]) => Promise<Error | undefined>;
  /** Lets what gathered be committed, and resolves when it is on disk. */
  readonly commit: () => Promise<void>;
  /** Lets time pass in steps of a second, and the disk work in each. */
  readonly pass: (milliseconds: number) => Promise<void>;
  /** Lets time pass until the store is in that state: the disk works in its own time. */
  readonly becomes: (state: StoreHealth['state']) => Promise<void>;
  /**
   * Closes the store and opens it again under a new clock whose wall time may have jumped, in milliseconds.
   */
  readonly restart: (wallJump?: number) => Promise<void>;
  /** Opens the store again after a test has closed it. */
  readonly reopen: () => Promise<void>;
  /** Entries that a drain sends at once, none acknowledged; the drain is stopped again. */
  readonly peek: (queue: string) => QueueEntry[];
  /** Acknowledges all that a drain sends, `window` at a time; returns its texts. */
  readonly deliver: (queue: string, window?: number) => string[];
  /**
   * Closes the store, counts the entries, bodies and indexes that are left on disk, and removes the folder.
   */
  readonly finish: () => Promise<number>;
};

export type StoreHarnessOptions = Partial<Pick<StoreSettings, 'maxSize' | 'whenFull' | 'boundOf' | 'ttl'>> & {
  /** By default a new one. */
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

  /** Time stands still while the disk works: what falls due meanwhile runs at once. */
  const settledAfter = async <Result>(passed: number, begin: (settle: (result: Result) => void) => void) => {
    let settled: { readonly result: Result } | undefined;
    begin(result => {
      settled = { result };
    });
    clock.advance(passed);
    while (settled === undefined) {
      await new Promise(resolve => setImmediate(resolve));
      clock.advance(0);
    }
    return settled.result;
  };

  const stage: StoreHarness = {
    get clock() {
      return clock;
    },
    folder,
    errors,
    warnings,
    store: await open(),
    append: (message, destinations) =>
      settledAfter<Error | undefined>(COMMIT_WINDOW_MS, settle =>
        stage.store.append(message, destinations, settle),
      ),
    commit: async () => {
      await settledAfter(COMMIT_WINDOW_MS, settle => stage.store.put('mark', Buffer.from('x'), settle));
    },
    pass: async milliseconds => {
      for (let left = milliseconds; left > 0; left -= 1000) {
        clock.advance(Math.min(left, 1000));
        await stage.commit();
      }
    },
    becomes: async state => {
      const end = performance.now() + 20_000;
      while (stage.store.health().state !== state) {
        if (performance.now() > end) throw new Error(`The store did not become ${state}.`);
        clock.advance(100);
        await new Promise(resolve => setImmediate(resolve));
      }
    },
    restart: async (wallJump = 0) => {
      await stage.store.close();
      clock = createTestClock(clock.wall() + wallJump);
      await stage.reopen();
    },
    reopen: async () => {
      stage.store = await open();
    },
    peek: queue => {
      const sent: QueueEntry[] = [];
      const drain = stage.store.drain(queue, { window: 100_000, send: entry => sent.push(entry) > 0 });
      drain.wake();
      drain.stop();
      return sent;
    },
    deliver: (queue, window = 1) => {
      const sent: QueueEntry[] = [];
      const drain = stage.store.drain(queue, {
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
      await stage.store.close();
      const database = await openDatabase(folder);
      const { metadata, ...tables } = database.tables();
      await database.close();
      rmSync(folder, { recursive: true });
      return Object.values(tables).reduce((sum, count) => sum + count, 0);
    },
  };
  return stage;
}

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'skerry-queue-'));
}

/** A message whose body is `text`. */
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
