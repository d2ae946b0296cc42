import type { UpstreamAddress } from '../manifest/types.ts';

/** Text of an address: `[::1]:1883`. */
export function addressText({ host, port }: Pick<UpstreamAddress, 'host' | 'port'>): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Addresses of an upstream in order of preference. */
export type Addresses<Place> = {
  readonly current: () => Place;
  /** Addresses that precede the current one. */
  readonly better: () => readonly Place[];
  /** Advances to the next address. Returns true if it wrapped to the first. */
  readonly next: () => boolean;
  /** Returns to the first address. */
  readonly first: () => true;
};

export function createAddresses<Place>(best: Place, ...others: readonly Place[]): Addresses<Place> {
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
