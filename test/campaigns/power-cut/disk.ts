import type { Chance } from '../queue-crash/chance.ts';

/** Sector size: a sector is written completely or not at all. */
const SECTOR = 512;

/**
 * Fate of the writes since the last flush at a power cut. `all`: none was written. `some`: a random subset
 * was. `torn`: a random subset of their sectors was. `last`: only the newest were not, and one of them is
 * torn.
 */
export const MANNERS = ['all', 'some', 'torn', 'last'] as const;
export type Manner = (typeof MANNERS)[number];

/** Sectors that were written since the last flush, and how many of those the cut took. */
export type Toll = { readonly unflushed: number; readonly lost: number };

/** A disk with a volatile write cache: what was not flushed may be lost when the power goes, or not. */
export type Disk = {
  readonly size: number;
  readonly read: (at: number, length: number) => Buffer;
  readonly write: (at: number, bytes: Buffer) => void;
  /** True if nothing waits for a flush. */
  readonly quiet: () => boolean;
  /** All that was written is on the medium from now on. */
  readonly flush: () => void;
  /** The power goes: `medium` is what the next start finds. */
  readonly cut: (manner: Manner, chance: Chance) => Toll;
};

type Write = { readonly at: number; readonly bytes: Buffer };

/** `medium` holds what is on the disk for good; `flushes` false: a disk that only says that it flushed. */
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
