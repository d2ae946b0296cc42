import { createHmac } from 'node:crypto';
import type { Random } from '../core/random.ts';

const KEY_BYTES = 32;

/** Secrets that were right before, as long as the hub runs; none can be read from memory without guessing it. */
export type Remembered = {
  /** `label` says whose it is, and where it came from. */
  readonly has: (label: string, secret: Buffer) => boolean;
  readonly add: (label: string, secret: Buffer) => void;
};

/** Knows `most` secrets; the oldest are forgotten first. */
export function createRemembered(random: Random, most: number): Remembered {
  const key = random.bytes(KEY_BYTES);
  const marks = new Set<string>();

  const markOf = (label: string, secret: Buffer): string =>
    createHmac('sha256', key).update(`${label}\0`).update(secret).digest('base64');

  return {
    has: (label, secret) => marks.has(markOf(label, secret)),
    add: (label, secret) => {
      marks.add(markOf(label, secret));
      for (const oldest of marks) {
        if (marks.size <= most) break;
        marks.delete(oldest);
      }
    },
  };
}
