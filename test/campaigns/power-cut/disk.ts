import type { Chance } from '../queue-crash/chance.ts';

/** Sector size: a sector is written completely or not at all. */
const SECTOR = 512;

/**
 * Loss of unflushed writes at a power cut. `all`: all writes are lost. `some`: random writes are lost.
 * `torn`: random sectors are lost. `last`: the newest writes are lost, and the first of them partly.
 */
export const MANNERS = ['all', 'some', 'torn', 'last'] as const;
export type Manner = (typeof MANNERS)[number];

/** Number of unflushed sectors at a cut, and number of lost ones. */
export type CutLoss = { readonly unflushed: number; readonly lost: number };

/** A disk with a volatile write cache. A power cut may lose unflushed writes. */
export type Disk = {
  readonly size: number;
  readonly read: (at: number, length: number) => Buffer;
  readonly write: (at: number, bytes: Buffer) => void;
  /** True if there are no unflushed writes. */
  readonly quiet: () => boolean;
  /** Writes the cache to the medium. */
  readonly flush: () => void;
  /** Cuts the power. The next start reads `medium`. */
  readonly cut: (manner: Manner, chance: Chance) => CutLoss;
};

type Write = { readonly at: number; readonly bytes: Buffer };

/** Creates a disk with the durable content `medium`. If `flushes` is false, its flushes do nothing. */
export function createDisk(medium: Buffer, flushes: boolean): Disk {
  const visible = Buffer.from(medium);
  let cache: Write[] = [];

  return {
    size: medium.length,
    read: (at, length) => visible.subarray(at, at + length),
    write: (at, bytes) => {
      bytes.copy(visible, at);
      cache.push({ at, bytes });
    },
    quiet: () => cache.length === 0,
    flush: () => {
      if (!flushes) return;
      for (const { at, bytes } of cache) bytes.copy(medium, at);
      cache = [];
    },
    cut: (manner, chance) => {
      const sectors = cache.map(sectorsOf);
      const whole = manner === 'last' ? chance.below(cache.length + 1) : 0;
      let kept = 0;
      for (const [index, write] of sectors.entries()) {
        const survives = survival(manner, index - whole, chance);
        for (const { at, bytes } of write) {
          if (!survives()) continue;
          bytes.copy(medium, at);
          kept++;
        }
      }
      const unflushed = sectors.reduce((sum, write) => sum + write.length, 0);
      cache = [];
      return { unflushed, lost: unflushed - kept };
    },
  };
}

/** True if a sector of a write survives. `place` counts from the first write that may be lost. */
function survival(manner: Manner, place: number, chance: Chance): () => boolean {
  switch (manner) {
    case 'all':
      return () => false;
    case 'some': {
      const survives = chance.below(2) === 0;
      return () => survives;
    }
    case 'torn':
      return () => chance.below(2) === 0;
    case 'last':
      return () => place < 0 || (place === 0 && chance.below(2) === 0);
  }
}

function sectorsOf({ at, bytes }: Write): Write[] {
  return Array.from({ length: Math.ceil(bytes.length / SECTOR) }, (_, index) => ({
    at: at + index * SECTOR,
    bytes: bytes.subarray(index * SECTOR, (index + 1) * SECTOR),
  }));
}
