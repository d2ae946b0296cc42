import { setTimeout as pause } from 'node:timers/promises';
import type { SeededRandom } from '../../harness/seeded-random.ts';

/** The hub under attack. */
export type Target = {
  readonly folder: string;
  readonly data: string;
  /** Ports of the plain, WebSocket and TLS listeners and of the upstream. */
  readonly port: number;
  readonly webPort: number;
  readonly tlsPort: number;
  readonly upstreamPort: number;
  readonly dice: SeededRandom;
  readonly over: () => boolean;
};

/** Misbehaving peer. It ends when `over` returns true. */
export type Role = (target: Target) => Promise<void>;

export const pauseOf = (milliseconds: number): Promise<void> => pause(milliseconds);

/** Keeps at most `most` resources open, and ends the oldest when another is added. */
export function limitOpen(most: number): {
  readonly add: (end: () => void) => void;
  readonly end: () => void;
} {
  const ends: (() => void)[] = [];
  return {
    add: end => {
      ends.push(end);
      if (ends.length > most) ends.shift()?.();
    },
    end: () => {
      for (const end of ends.splice(0)) end();
    },
  };
}
