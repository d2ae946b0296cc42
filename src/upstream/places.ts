import type { UpstreamAddress } from '../manifest/types.ts';

/** An address as people write it: `[::1]:1883`. */
export function addressText({ host, port }: Pick<UpstreamAddress, 'host' | 'port'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The addresses of an upstream, the best first. */
export type Places<Place> = {
  readonly current: () => Place;
  /** Those that are better than the current one. */
  readonly better: () => readonly Place[];
  /** The current one is of no use: the next is. True: that was the last, and it is the first again. */
  readonly next: () => boolean;
  /** The best is the current one again: true. */
  readonly first: () => true;
};

export function createPlaces<Place>(best: Place, ...others: readonly Place[]): Places<Place> {
  const all = [best, ...others];
  let index = 0;
  return {
    current: () => all[index] ?? best,
    better: () => all.slice(0, index),
    next: () => {
      index = (index + 1) % all.length;
      return index === 0;
    },
    first: () => {
      index = 0;
      return true;
    },
  };
}
