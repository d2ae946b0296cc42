import type { Socket } from 'node:net';
import type { SeededRandom } from '../seeded-random.ts';

/** Maximum delay of a late piece in milliseconds. */
const MAX_DELAY_MS = 60;

/** Maximum bytes of a late piece. */
const MAX_PIECE_BYTES = 2_000;

/** Maximum stored bytes, beyond which the sender is paused. */
const MAX_STORED_BYTES = 1_000_000;

export type ForwardAction = 'forward' | 'delay' | 'store' | 'drop';

/** Direction of a connection. */
export type Direction = {
  readonly push: (chunk: Buffer) => void;
  /** Forwards the stored bytes. */
  readonly flow: () => void;
  /** Calls back when all bytes of a sender that has ended are forwarded. */
  readonly finish: (then: () => void) => void;
  /** Returns a random first part of the stored bytes. */
  readonly part: () => Buffer;
  readonly stop: () => void;
};

export type DirectionSettings = {
  readonly random: SeededRandom;
  readonly nextAction: () => ForwardAction;
  readonly sender: () => Socket | undefined;
  readonly receiver: () => Socket | undefined;
  readonly passed: (bytes: number) => void;
};

export function createDirection({
  random,
  nextAction,
  sender,
  receiver,
  passed,
}: DirectionSettings): Direction {
  let stored: Buffer[] = [];
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;
  let finished: (() => void) | undefined;

  const again = (): void => {
    timer = undefined;
    flow();
  };
  /** Forwards a piece. Returns false if forwarding must pause. */
  const step = (first: Buffer, late: boolean): boolean => {
    const piece = late ? first.subarray(0, 1 + random.below(MAX_PIECE_BYTES)) : first;
    if (piece.length < first.length) stored[0] = first.subarray(piece.length);
    else stored.shift();
    bytes -= piece.length;
    passed(piece.length);
    if (receiver()?.write(piece) === false) return false;
    if (late) timer = setTimeout(again, random.below(MAX_DELAY_MS));
    return !late;
  };
  const flow = (): void => {
    if (timer !== undefined) return;
    for (let first = stored[0]; first !== undefined; first = stored[0]) {
      const action = nextAction();
      if (action === 'store') return;
      if (action === 'drop') {
        stored = [];
        bytes = 0;
      } else if (!step(first, action === 'delay')) break;
    }
    if (bytes < MAX_STORED_BYTES) sender()?.resume();
    if (stored.length === 0) finished?.();
  };

  return {
    flow,
    push: chunk => {
      stored.push(chunk);
      bytes += chunk.length;
      if (bytes >= MAX_STORED_BYTES) sender()?.pause();
      flow();
    },
    finish: then => {
      finished = then;
      flow();
    },
    part: () => {
      const first = stored[0] ?? Buffer.alloc(0);
      return first.subarray(0, random.below(first.length + 1));
    },
    stop: () => clearTimeout(timer),
  };
}
