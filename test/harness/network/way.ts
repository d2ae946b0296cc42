import type { Socket } from 'node:net';
import type { SeededRandom } from '../seeded-random.ts';

/** Milliseconds that a late piece is held at most, and its most bytes. */
const LATE = 60;
const PIECE = 2_000;

/** Bytes that are held before the sender is made to wait. */
const MOST_HELD = 1_000_000;

export type Verdict = 'pass' | 'late' | 'hold' | 'drop';

/** Direction of a connection. */
export type Way = {
  readonly push: (chunk: Buffer) => void;
  /** Releases the held bytes. */
  readonly flow: () => void;
  /** The sender will say nothing more: calls back once all of it has passed. */
  readonly finish: (then: () => void) => void;
  /** The first part of what is held. */
  readonly part: () => Buffer;
  readonly stop: () => void;
};

export type WaySettings = {
  readonly dice: SeededRandom;
  readonly verdict: () => Verdict;
  readonly sender: () => Socket | undefined;
  readonly receiver: () => Socket | undefined;
  readonly passed: (bytes: number) => void;
};

export function createWay({ dice, verdict, sender, receiver, passed }: WaySettings): Way {
  let held: Buffer[] = [];
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let finished: (() => void) | undefined;

  const again = (): void => {
    timer = undefined;
    flow();
  };
  /** False: not now. */
  const step = (first: Buffer, late: boolean): boolean => {
    const piece = late ? first.subarray(0, 1 + dice.below(PIECE)) : first;
    if (piece.length < first.length) held[0] = first.subarray(piece.length);
    else held.shift();
    bytes -= piece.length;
    passed(piece.length);
    if (receiver()?.write(piece) === false) return false;
    if (late) timer = setTimeout(again, dice.below(LATE));
    return !late;
  };
  const flow = (): void => {
    if (timer !== undefined) return;
    for (let first = held[0]; first !== undefined; first = held[0]) {
      const what = verdict();
      if (what === 'hold') return;
      if (what === 'drop') {
        held = [];
        bytes = 0;
      } else if (!step(first, what === 'late')) break;
    }
    if (bytes < MOST_HELD) sender()?.resume();
    if (held.length === 0) finished?.();
  };

  return {
    flow,
    push: chunk => {
      held.push(chunk);
      bytes += chunk.length;
      if (bytes >= MOST_HELD) sender()?.pause();
      flow();
    },
    finish: then => {
      finished = then;
      flow();
    },
    part: () => {
      const first = held[0] ?? Buffer.alloc(0);
      return first.subarray(0, dice.below(first.length + 1));
    },
    stop: () => clearTimeout(timer),
  };
}
