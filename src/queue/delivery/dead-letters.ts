import { createHash } from 'node:crypto';
import { Failure } from '../../core/errors.ts';
import type { Message, OnDurable } from '../../core/message.ts';
import type { RemovedEntry } from '../entries/removed-entry.ts';
import { MAX_DEAD_LETTER_BYTES, MAX_DEAD_LETTERS } from '../limits.ts';
import { decodeRecord } from '../record/record-decode.ts';
import { bufferOf, decode, encode } from '../record/record-encode.ts';
import type { DeadLetter, DeadLetters, Destination } from '../types.ts';
import type { LetterRef } from './letter-shares.ts';
import { createLetterShares } from './letter-shares.ts';

/*
 * A dead letter is stored as metadata. The name sorts dead letters by age and contains all data that the
 * limits on dead letters need. Therefore no dead letter is read when the store opens. Hub time is the hub's
 * own clock for TTLs. The holder is the user or module whose share is charged.
 *
 *   dead/<sequence, 16 digits>-<queue id>-<bytes of its record>-<queue>[-<holder of the queue's share>]
 *
 * The last two fields are hashes, because metadata names must be short. The queue id does not identify the
 * queue, because an empty queue can get another id after a restart. Older versions of the hub wrote no hash.
 *
 *   CBOR [queue, priority, reason, hub time when it became a dead letter (ms), record]
 */
const PREFIX = 'dead/';

export type DeadLettersHost = {
  /** Returns hub time (the clock for TTLs) in milliseconds. */
  readonly now: () => number;
  readonly names: (prefix: string) => string[];
  readonly get: (name: string) => Buffer | undefined;
  readonly put: (name: string, value: Buffer | undefined, onDurable: OnDurable) => void;
  readonly append: (message: Message, destinations: readonly Destination[], onDurable: OnDurable) => void;
};

/**
 * Dead letters, limited in number and bytes. Above a limit, the holder (user or module) with the highest
 * total cost loses an old dead letter.
 */
export type DeadLetterStore = DeadLetters & {
  readonly count: () => number;
  /**
   * Stores a removed entry as a dead letter. `record` is the encoded message. A second call for the same
   * entry replaces its dead letter.
   */
  readonly add: (removed: RemovedEntry, reason: string, record: Buffer, onDurable: OnDurable) => void;
  /** Logs one sentence if dead letters were deleted since the last call because a limit was exceeded. */
  readonly flushDeleted: (logLine: (sentence: string) => void) => void;
};

export function createDeadLetters({ now, names, get, put, append }: DeadLettersHost): DeadLetterStore {
  /** Dead letters by identifier, oldest first. */
  const deadLetters = new Map<string, LetterRef>();
  const shares = createLetterShares();
  let bytes = 0;
  let deleted = 0;

  const uncount = (letter: LetterRef): boolean => {
    if (deadLetters.get(letter.id) !== letter) return false;
    deadLetters.delete(letter.id);
    shares.remove(letter);
    bytes -= letter.bytes;
    return true;
  };

  const forget = (letter: LetterRef, onDurable: OnDurable): void => {
    if (uncount(letter)) put(letter.name, undefined, onDurable);
    else onDurable();
  };

  /**
   * Adds a dead letter to the counts. Deletes an earlier dead letter of the same entry. Holder and size of
   * the earlier dead letter can differ.
   */
  const count = (letter: LetterRef): void => {
    const earlier = deadLetters.get(letter.id);
    if (earlier?.name === letter.name) uncount(earlier);
    else if (earlier !== undefined) forget(earlier, () => {});
    deadLetters.set(letter.id, letter);
    shares.add(letter);
    bytes += letter.bytes;
  };

  const makeRoom = (): void => {
    while (deadLetters.size > MAX_DEAD_LETTERS || bytes > MAX_DEAD_LETTER_BYTES) {
      const letter = shares.oldestOfLargest();
      if (letter === undefined) return;
      deleted++;
      forget(letter, () => {});
    }
  };

  const findOrFail = (id: string, onDurable: OnDurable): LetterRef | undefined => {
    const letter = deadLetters.get(id);
    if (letter === undefined) {
      onDurable(new Failure('letter.unknown', `There is no dead letter "${id}": see "skerry queue dead".`));
    }
    return letter;
  };

  for (const name of names(PREFIX)) count(refOf(name));

  return {
    count: () => deadLetters.size,
    add: ({ queue, priority, sequence }, reason, record, onDurable) => {
      const place = `${String(sequence).padStart(16, '0')}-${queue.id}`;
      const letter = refOf(`${PREFIX}${place}-${record.length}-${hashesOf(queue)}`);
      count(letter);
      put(letter.name, encode([queue.name, priority, reason, now(), record]), error => {
        if (error !== undefined) uncount(letter);
        onDurable(error);
      });
      makeRoom();
    },
    flushDeleted: logLine => {
      if (deleted === 0) return;
      logLine(
        `The dead letters have reached their maximum: the oldest ${deleted} were deleted. Replay or drop some: see "skerry queue dead".`,
      );
      deleted = 0;
    },
    list: () => Array.from(deadLetters, ([id, { name }]) => deadLetterFrom(id, get(name), now())),
    replay: (id, onDurable) => {
      const letter = findOrFail(id, onDurable);
      if (letter === undefined) return;
      const { message, queue, priority } = deadLetterFrom(id, get(letter.name), now());
      if (message === undefined) {
        onDurable(
          new Failure(
            'letter.damaged',
            `The dead letter "${id}" is damaged and cannot be replayed: drop it.`,
          ),
        );
        return;
      }
      append(message, [{ queue, priority, ttl: undefined }], error => {
        if (error === undefined) forget(letter, onDurable);
        else onDurable(error);
      });
    },
    drop: (id, onDurable) => {
      const letter = findOrFail(id, onDurable);
      if (letter !== undefined) forget(letter, onDurable);
    },
  };
}

function refOf(name: string): LetterRef {
  const [sequence, queueId, size, queue = queueId ?? '', holder = queue] = name
    .slice(PREFIX.length)
    .split('-');
  return { id: `${Number(sequence)}-${queueId}`, name, holder, queue, bytes: Number(size) };
}

function hashesOf({ name, share }: RemovedEntry['queue']): string {
  return share === undefined ? hashOf(name) : `${hashOf(name)}-${hashOf(share.holder)}`;
}

/** Returns the first 64 bits of SHA-256 in hexadecimal digits. */
function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function deadLetterFrom(id: string, value: Buffer | undefined, now: number): DeadLetter {
  const list = decode(value);
  const [queue, priority, reason, died, record]: unknown[] = Array.isArray(list) ? list : [];
  return {
    id,
    queue: typeof queue === 'string' ? queue : '',
    priority: typeof priority === 'number' ? priority : 0,
    reason: typeof reason === 'string' ? reason : 'the record of the dead letter is damaged',
    age: typeof died === 'number' ? now - died : 0,
    message: record instanceof Uint8Array ? decodeRecord(bufferOf(record)) : undefined,
  };
}
