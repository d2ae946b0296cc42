import type { RootDatabase, Database as Table } from 'lmdb';
import { Failure, reasonOf } from '../core/errors.ts';
import type { EntryValue, QueueRecord } from './layout.ts';
import {
  decodeEntry,
  decodeNumber,
  decodeQueue,
  encodeEntry,
  encodeNumber,
  encodeQueue,
  entryKey,
  FORMAT,
  queueKey,
  sequenceKey,
  sequenceOf,
} from './layout.ts';

/** An entry as it lies on disk. */
export type StoredEntry = EntryValue & { readonly priority: number; readonly sequence: number };

/** What a commit may do, inside its transaction only. */
export type Writer = {
  readonly putEntry: (queue: number, priority: number, sequence: number, value: EntryValue) => void;
  readonly putBody: (sequence: number, body: Buffer, holders: number) => void;
  /** Takes one entry away, and its body with the last of its holders. */
  readonly removeEntry: (queue: number, priority: number, sequence: number) => 'absent' | 'entry' | 'body';
  readonly putQueue: (id: number, record: QueueRecord) => void;
  readonly removeQueue: (id: number) => void;
  readonly putSettled: (name: string, value: Buffer | undefined) => void;
  readonly putNumber: (name: 'hubTime' | 'bytes', value: number) => void;
};

/** The store's file: LMDB's tables under the names of the layout. */
export type Database = {
  /** Milliseconds, as last persisted. */
  readonly hubTime: () => number;
  /** Bytes of bodies and entries, as counted against `maxSize`. */
  readonly bytes: () => number;
  readonly queues: () => { readonly id: number; readonly record: QueueRecord }[];
  /** Entries of a queue at one priority, in order, beginning behind `after`. */
  readonly entries: (queue: number, priority: number, after: number, limit: number) => StoredEntry[];
  readonly body: (sequence: number) => Buffer | undefined;
  readonly lastSequence: () => number;
  readonly settled: (name: string) => Buffer | undefined;
  readonly names: (prefix: string) => string[];
  /** Runs `change` in one transaction; settles once it would survive a power cut. */
  readonly write: (change: (writer: Writer) => void) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** @throws Failure `store.unreadable`, `store.newer` */
export async function openDatabase(folder: string): Promise<Database> {
  const lmdb = await import('lmdb');
  const root = openRoot(lmdb.open, folder);
  const table = <Key extends Buffer | string>(name: string, keyEncoding: 'binary' | 'ordered-binary') =>
    root.openDB<Buffer, Key>({ name, keyEncoding, encoding: 'binary', cache: false });
  const meta = table<string>('meta', 'ordered-binary');
  const queues = table<Buffer>('queues', 'binary');
  const entries = table<Buffer>('entries', 'binary');
  const bodies = table<Buffer>('bodies', 'binary');
  const holders = table<Buffer>('holders', 'binary');
  const settled = table<string>('settled', 'ordered-binary');
  checkFormat(meta, folder);
  const writer = writerOver({ meta, queues, entries, bodies, holders, settled });

  return {
    hubTime: () => decodeNumber(meta.get('hubTime')) ?? 0,
    bytes: () => decodeNumber(meta.get('bytes')) ?? 0,
    queues: () =>
      Array.from(queues.getRange()).flatMap(({ key, value }) => {
        const record = decodeQueue(value);
        return record === undefined ? [] : [{ id: key.readUInt32BE(), record }];
      }),
    entries: (queue, priority, after, limit) => {
      const start = entryKey(queue, priority, after + 1);
      const end = entryKey(queue, priority + 1, 0);
      const found: StoredEntry[] = [];
      for (const { key, value } of entries.getRange({ start, end, limit })) {
        found.push({ ...decodeEntry(value), priority, sequence: sequenceOf(key, 5) });
      }
      return found;
    },
    body: sequence => bodies.get(sequenceKey(sequence)),
    lastSequence: () => {
      for (const key of bodies.getKeys({ reverse: true, limit: 1 })) return sequenceOf(key, 0);
      return 0;
    },
    settled: name => settled.get(name),
    names: prefix => Array.from(settled.getKeys({ start: prefix, end: `${prefix}\u{10ffff}` })),
    write: async change => {
      try {
        await root.childTransaction(() => change(writer));
      } catch (thrown) {
        throw await causeOf(thrown);
      }
      await root.flushed;
      root.resetReadTxn();
    },
    close: () => root.close(),
  };
}

function openRoot(open: typeof import('lmdb').open, folder: string): RootDatabase<Buffer, string> {
  try {
    return open<Buffer, string>({
      path: folder,
      maxDbs: 8,
      encoding: 'binary',
      noSubdir: false,
      overlappingSync: false,
      // Every write is in a transaction of ours; lmdb's own grouping adds promises that nobody can catch.
      eventTurnBatching: false,
      cache: false,
    });
  } catch (thrown) {
    throw new Failure(
      'store.unreadable',
      `The store in ${folder} cannot be opened (${reasonOf(thrown)}): check the disk, or move the folder away to start with an empty one.`,
    );
  }
}

/** What the system said of a commit that failed: lmdb keeps it in a promise of its own. */
async function causeOf(thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof Error && 'commitError' in thrown)) return thrown;
  try {
    await thrown.commitError;
    return thrown;
  } catch (cause) {
    return cause;
  }
}

function checkFormat(meta: Table<Buffer, string>, folder: string): void {
  const bytes = meta.get('format');
  if (bytes === undefined) {
    meta.putSync('format', encodeNumber(FORMAT));
    return;
  }
  const format = decodeNumber(bytes);
  if (format === FORMAT) return;
  throw new Failure(
    'store.newer',
    `The store in ${folder} has format ${format ?? 'unknown'}, this skerry reads ${FORMAT}: use the skerry that wrote it, or another --data folder.`,
  );
}

type Tables = {
  readonly meta: Table<Buffer, string>;
  readonly queues: Table<Buffer, Buffer>;
  readonly entries: Table<Buffer, Buffer>;
  readonly bodies: Table<Buffer, Buffer>;
  readonly holders: Table<Buffer, Buffer>;
  readonly settled: Table<Buffer, string>;
};

function writerOver({ meta, queues, entries, bodies, holders, settled }: Tables): Writer {
  const releaseBody = (sequence: number): 'entry' | 'body' => {
    const key = sequenceKey(sequence);
    const held = holders.get(key)?.readUInt32BE() ?? 1;
    if (held > 2) holders.putSync(key, queueKey(held - 1));
    else if (held === 2) holders.removeSync(key);
    else bodies.removeSync(key);
    return held > 1 ? 'entry' : 'body';
  };
  return {
    putEntry: (queue, priority, sequence, value) =>
      entries.putSync(entryKey(queue, priority, sequence), encodeEntry(value)),
    putBody: (sequence, body, count) => {
      bodies.putSync(sequenceKey(sequence), body);
      if (count > 1) holders.putSync(sequenceKey(sequence), queueKey(count));
    },
    removeEntry: (queue, priority, sequence) =>
      entries.removeSync(entryKey(queue, priority, sequence)) ? releaseBody(sequence) : 'absent',
    putQueue: (id, record) => queues.putSync(queueKey(id), encodeQueue(record)),
    removeQueue: id => {
      queues.removeSync(queueKey(id));
    },
    putSettled: (name, value) => {
      if (value === undefined) settled.removeSync(name);
      else settled.putSync(name, value);
    },
    putNumber: (name, value) => meta.putSync(name, encodeNumber(value)),
  };
}
