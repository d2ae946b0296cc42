import { parseDestinations } from './load-message.ts';
import type { Line, Word } from './report.ts';

/** Faults, one sentence each. */
export type Faults = {
  readonly lost: string[];
  readonly cameBack: string[];
  readonly outOfOrder: string[];
  readonly leaks: string[];
};

/** Checks that a store keeps acknowledged data across all crashes of one folder. */
export type Checker = {
  /**
   * Evaluates the report of one process. Its messages have numbers from `first` on, above those of earlier
   * processes.
   */
  readonly evaluate: (report: readonly Line[], first: number) => void;
  readonly faults: Faults;
  /** Number of durable messages, acknowledgements and metadata values. */
  readonly promised: () => number;
  readonly checkpoints: () => number;
};

/** An entry of a queue, by name and number. */
type Key = string;

export function createChecker(): Checker {
  const faults: Faults = { lost: [], cameBack: [], outOfOrder: [], leaks: [] };
  /** Keys that must exist, may have left, have left, may be dead letters, and must be dead letters. */
  let expected = new Set<Key>();
  const leaving = new Set<Key>();
  const gone = new Set<Key>();
  const refused = new Set<Key>();
  let deadLetters = new Set<Key>();
  const purged = new Map<string, number>();
  /** Messages that are stored together with a metadata value, by number. */
  const withMetadata = new Map<number, { readonly note: string; readonly queues: readonly string[] }>();
  /** Metadata values that were deleted or may have been. */
  const takenBack = new Set<string>();
  /** The last durable value and later values of each metadata name. */
  const durable = new Map<string, string[]>();
  /** Messages with lower numbers existed at the last opening or do not exist. */
  let horizon = 0;
  let promised = 0;
  let checkpoints = 0;
  let found = nothingFound();

  const mustStay = (queue: string, number: number): boolean =>
    number > (purged.get(queue) ?? 0) && !leaving.has(keyOf(queue, number));

  const expect = (queue: string, number: number): void => {
    if (mustStay(queue, number)) expected.add(keyOf(queue, number));
  };

  /** A stored metadata value requires its messages. Without the value none of them may exist. */
  const checkMetadata = (): void => {
    for (const [number, { note, queues }] of withMetadata) {
      for (const queue of queues) {
        const key = keyOf(queue, number);
        if (found.state.has(note)) expect(queue, number);
        else if (!takenBack.has(note) && (found.entries.has(key) || found.letters.has(key)))
          faults.cameBack.push(`${key} is there without ${note}`);
      }
    }
  };

  const checkEntries = (): void => {
    for (const [key, number] of found.entries) {
      if (gone.has(key)) faults.cameBack.push(`${key} was acknowledged`);
      else if (number < horizon && !expected.has(key) && !leaving.has(key) && !refused.has(key)) {
        faults.cameBack.push(`${key} was not there at the opening before`);
      }
      if (found.letters.has(key)) faults.cameBack.push(`${key} is in its queue and a dead letter`);
    }
    for (const key of expected) {
      if (found.entries.has(key)) continue;
      if (!refused.has(key) || !found.letters.has(key)) faults.lost.push(`${key} is missing`);
    }
    for (const key of deadLetters)
      if (!found.letters.has(key)) faults.lost.push(`the dead letter ${key} is missing`);
    for (const key of found.letters) {
      if (!deadLetters.has(key) && !refused.has(key)) faults.cameBack.push(`${key} is a dead letter unasked`);
    }
  };

  const checkState = (): void => {
    for (const [name, values] of durable) {
      const value = found.state.get(name) ?? 'none';
      if (!values.includes(value)) faults.lost.push(`${name} is ${value}, none of ${values.join(', ')}`);
    }
    for (const [queue, depth] of found.depths) {
      const there = found.counts.get(queue) ?? 0;
      if (depth !== there) faults.leaks.push(`${queue} says it holds ${depth}, and holds ${there}`);
    }
  };

  /** Resets the expectation: present keys must stay, and absent keys must not return. */
  const startOver = (first: number): void => {
    expected = new Set(found.entries.keys());
    deadLetters = found.letters;
    for (const set of [leaving, gone, refused, purged, durable, withMetadata, takenBack]) set.clear();
    for (const [name, value] of found.state) durable.set(name, [value]);
    horizon = first;
  };

  const entry = (queue: string, priority: number, number: number): void => {
    const key = keyOf(queue, number);
    const before = found.last.get(queue);
    if (found.entries.has(key)) faults.cameBack.push(`${key} is there twice`);
    else if (before !== undefined && !isBefore(before, { priority, number })) {
      faults.outOfOrder.push(`${key} (${priority}) comes behind ${before.number} (${before.priority})`);
    }
    found.entries.set(key, number);
    found.last.set(queue, { priority, number });
    found.counts.set(queue, (found.counts.get(queue) ?? 0) + 1);
  };

  const purge = (queue: string, number: number): void => {
    purged.set(queue, number);
    for (const key of expected) {
      const [name = '', held] = key.split(' ');
      if (name === queue && Number(held) <= number) {
        expected.delete(key);
        leaving.add(key);
      }
    }
  };

  const evaluators: Readonly<Record<Word, (details: readonly string[], first: number) => void>> = {
    entry: ([queue = '', priority, number]) => entry(queue, Number(priority), Number(number)),
    letter: ([queue = '', number]) => found.letters.add(keyOf(queue, Number(number))),
    state: ([name = '', value = '']) => found.state.set(name, value),
    depth: ([queue = '', count]) => found.depths.set(queue, Number(count)),
    damaged: details => faults.lost.push(`damaged: ${details.join(' ')}`),
    opened: (_, first) => {
      checkMetadata();
      checkEntries();
      checkState();
      startOver(first);
    },
    promised: ([number, destinations = '']) => {
      promised++;
      for (const { queue } of parseDestinations(destinations)) expect(queue, Number(number));
    },
    leaving: ([queue = '', number]) => {
      const key = keyOf(queue, Number(number));
      if (gone.has(key)) faults.cameBack.push(`${key} was sent again after it was acknowledged`);
      leaving.add(key);
      expected.delete(key);
    },
    left: ([queue = '', number]) => {
      promised++;
      gone.add(keyOf(queue, Number(number)));
    },
    firm: ([number, note = '', destinations = '']) => {
      withMetadata.set(Number(number), {
        note,
        queues: parseDestinations(destinations).map(({ queue }) => queue),
      });
    },
    refused: ([queue = '', number]) => refused.add(keyOf(queue, Number(number))),
    purged: ([queue = '', number]) => purge(queue, Number(number)),
    putting: ([name = '', value = '']) => {
      durable.set(name, [...(durable.get(name) ?? ['none']), value]);
      if (value === 'none') takenBack.add(name);
    },
    put: ([name = '', value = '']) => {
      promised++;
      const values = durable.get(name) ?? [];
      durable.set(name, values.slice(Math.max(0, values.indexOf(value))));
    },
    checkpoints: ([count]) => {
      checkpoints += Number(count);
    },
    remaining: ([count, ...what]) => {
      if (Number(count) !== 0) faults.leaks.push(`${count} ${what.join(' ')} are left`);
    },
  };

  return {
    evaluate: (report, first) => {
      found = nothingFound();
      for (const { word, details } of report) evaluators[word](details, first);
    },
    faults,
    promised: () => promised,
    checkpoints: () => checkpoints,
  };
}

type Position = { readonly priority: number; readonly number: number };

/** Content of the store at one opening. */
type Found = {
  readonly entries: Map<Key, number>;
  readonly letters: Set<Key>;
  readonly state: Map<string, string>;
  readonly depths: Map<string, number>;
  readonly counts: Map<string, number>;
  /** Last entry that a drain has sent, by queue. */
  readonly last: Map<string, Position>;
};

function nothingFound(): Found {
  return {
    entries: new Map(),
    letters: new Set(),
    state: new Map(),
    depths: new Map(),
    counts: new Map(),
    last: new Map(),
  };
}

function keyOf(queue: string, number: number): Key {
  return `${queue} ${number}`;
}

function isBefore(one: Position, other: Position): boolean {
  return (one.priority - other.priority || one.number - other.number) < 0;
}
