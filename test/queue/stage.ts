import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Message } from '../../src/core/message.ts';
import { NO_PROPERTIES } from '../../src/core/message.ts';
import { openDatabase } from '../../src/queue/database.ts';
import { openStore } from '../../src/queue/store.ts';
import type { Destination, Entry, Store } from '../../src/queue/types.ts';
import type { TestClock } from '../clock.ts';
import { createTestClock } from '../clock.ts';

/** A real store in a folder of its own, under a clock that the test moves. */
export type Stage = {
  readonly clock: TestClock;
  readonly errors: string[];
  store: Store;
  /** Appends and resolves when it was settled, to the error if there was one. */
  readonly append: (message: Message, destinations: readonly Destination[]) => Promise<Error | undefined>;
  /** Lets what gathered be committed, and resolves when it is on disk. */
  readonly commit: () => Promise<void>;
  /** Closes the store and opens it again under a new clock whose wall time may have jumped, in milliseconds. */
  readonly restart: (wallJump?: number) => Promise<void>;
  /** Entries that a drain sends at once, none acknowledged; the drain is stopped again. */
  readonly peek: (queue: string) => Entry[];
  /** Closes the store, tells whether any body or entry is left on disk, and removes the folder. */
  readonly finish: () => Promise<{ readonly bodies: boolean }>;
};

export type StageOptions = {
  readonly maxSize?: number;
  readonly ttl?: number;
  /** By default a new one. */
  readonly folder?: string;
};

export async function createStage({
  maxSize = 1 << 30,
  ttl,
  folder = newFolder(),
}: StageOptions = {}): Promise<Stage> {
  const errors: string[] = [];
  let clock = createTestClock();
  const log = { info: () => {}, warn: () => {}, error: (text: string) => errors.push(text) };
  const open = () => openStore({ folder, maxSize, ttl, clock, log });

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

  const stage: Stage = {
    get clock() {
      return clock;
    },
    errors,
    store: await open(),
    append: (message, destinations) =>
      settledAfter<Error | undefined>(5, settle => stage.store.append(message, destinations, settle)),
    commit: async () => {
      await settledAfter(1000, settle => stage.store.put('mark', Buffer.from('x'), settle));
    },
    restart: async (wallJump = 0) => {
      await stage.store.close();
      clock = createTestClock(clock.wall() + wallJump);
      stage.store = await open();
    },
    peek: queue => {
      const sent: Entry[] = [];
      const drain = stage.store.drain(queue, { window: 100_000, send: entry => sent.push(entry) > 0 });
      drain.wake();
      drain.stop();
      return sent;
    },
    finish: async () => {
      await stage.store.close();
      const database = await openDatabase(folder);
      const bodies = database.lastSequence() > 0;
      await database.close();
      rmSync(folder, { recursive: true });
      return { bodies };
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
    qos: 1,
    retain: false,
    origin: { kind: 'client', client: 'test' },
    properties: NO_PROPERTIES,
    contentType: undefined,
    ttl,
  };
}

export function to(queue: string, priority = 9, ttl?: number): Destination {
  return { queue, priority, ttl };
}

export function texts(entries: readonly Entry[]): string[] {
  return entries.map(entry => entry.message.body.toString());
}
