import { Failure } from '../../core/errors.ts';
import type { Message, OnDurable } from '../../core/message.ts';
import type { RemovedEntry } from '../entries/removed-entry.ts';
import { MAX_DEAD_LETTER_BYTES, MAX_DEAD_LETTERS } from '../limits.ts';
import { decodeRecord } from '../record/record-decode.ts';
import { bufferOf, decode, encode } from '../record/record-encode.ts';
import type { DeadLetter, DeadLetters, Destination } from '../types.ts';

/*
 * A dead letter is metadata under `dead/<sequence, 16 digits>-<queue id>-<bytes of its record>`: its name
 * keeps the letters in order and tells their size, so that opening the store reads none of them.
 *
 *   CBOR [queue, priority, reason, hub time of its death (ms), record]
 */
const PREFIX = 'dead/';

export type DeadLettersHost = {
  /** Hub time in milliseconds. */
  readonly now: () => number;
  readonly names: (prefix: string) => string[];
  readonly get: (name: string) => Buffer | undefined;
  readonly put: (name: string, value: Buffer | undefined, onDurable: OnDurable) => void;
  readonly append: (message: Message, destinations: readonly Destination[], onDurable: OnDurable) => void;
};

/** Dead letters, bounded in number and bytes; the oldest are deleted first. */
export type DeadLetterStore = DeadLetters & {
  readonly count: () => number;
  /** Stores the record of an entry that leaves its queue. Idempotent: one entry makes one letter. */
  readonly add: (removed: RemovedEntry, reason: string, record: Buffer, onDurable: OnDurable) => void;
};

type Letter = { readonly name: string; readonly bytes: number };

export function createDeadLetters({ now, names, get, put, append }: DeadLettersHost): DeadLetterStore {
  /** Letters by identifier, oldest first. */
  const letters = new Map<string, Letter>();
  let bytes = 0;
  for (const name of names(PREFIX)) note(name);

  function note(name: string): string {
    const [sequence, queue, size] = name.slice(PREFIX.length).split('-');
    const id = `${Number(sequence)}-${queue}`;
    uncount(id);
    letters.set(id, { name, bytes: Number(size) });
    bytes += Number(size);
    return id;
  }

  function uncount(id: string): boolean {
    bytes -= letters.get(id)?.bytes ?? 0;
    return letters.delete(id);
  }

  const forget = (id: string, { name }: Letter, onDurable: OnDurable): void => {
    if (uncount(id)) put(name, undefined, onDurable);
    else onDurable();
  };

  const makeRoom = (): void => {
    for (const [id, letter] of letters) {
      if (letters.size <= MAX_DEAD_LETTERS && bytes <= MAX_DEAD_LETTER_BYTES) return;
      forget(id, letter, () => {});
    }
  };

  const known = (id: string, onDurable: OnDurable): Letter | undefined => {
    const letter = letters.get(id);
    if (letter === undefined) {
      onDurable(new Failure('letter.unknown', `There is no dead letter "${id}": see "skerry queue dead".`));
    }
    return letter;
  };

  return {
    count: () => letters.size,
    add: ({ queue, priority, sequence }, reason, record, onDurable) => {
      const name = `${PREFIX}${String(sequence).padStart(16, '0')}-${queue.id}-${record.length}`;
      const id = note(name);
      put(name, encode([queue.name, priority, reason, now(), record]), error => {
        if (error !== undefined) uncount(id);
        onDurable(error);
      });
      makeRoom();
    },
    list: () => Array.from(letters, ([id, { name }]) => letterFrom(id, get(name), now())),
    replay: (id, onDurable) => {
      const letter = known(id, onDurable);
      if (letter === undefined) return;
      const { message, queue, priority } = letterFrom(id, get(letter.name), now());
      if (message === undefined) {
        onDurable(
          new Failure(
            'letter.damaged',
            `The bytes of the dead letter "${id}" are damaged: it can only be dropped.`,
          ),
        );
        return;
      }
      append(message, [{ queue, priority, ttl: undefined }], error => {
        if (error === undefined) forget(id, letter, onDurable);
        else onDurable(error);
      });
    },
    drop: (id, onDurable) => {
      const letter = known(id, onDurable);
      if (letter !== undefined) forget(id, letter, onDurable);
    },
  };
}

function letterFrom(id: string, value: Buffer | undefined, now: number): DeadLetter {
  const list = decode(value);
  const [queue, priority, reason, died, record]: unknown[] = Array.isArray(list) ? list : [];
  return {
    id,
    queue: typeof queue === 'string' ? queue : '',
    priority: typeof priority === 'number' ? priority : 0,
    reason: typeof reason === 'string' ? reason : 'the letter itself is damaged',
    age: typeof died === 'number' ? now - died : 0,
    message: record instanceof Uint8Array ? decodeRecord(bufferOf(record)) : undefined,
  };
}
