import { hostPort } from '../core/net/host-port.ts';
import type { UpstreamAddress } from '../manifest/types.ts';

/** Returns the text of an address, such as `[::1]:1883`. */
export function addressText({ host, port }: Pick<UpstreamAddress, 'host' | 'port'>): string {
  return hostPort(host, port);
}

/** Addresses of an upstream, the preferred address first. One address is the current address. */
export type Addresses<Address> = {
  readonly current: () => Address;
  /** Returns the addresses that are preferred to the current address. */
  readonly better: () => readonly Address[];
  /**
   * Makes the next address the current one. After the last address, makes the first address the current one
   * and returns true. Otherwise returns false.
   */
  readonly next: () => boolean;
  /** Makes the first address the current one. Always returns true. */
  readonly first: () => true;
};

export function createAddresses<Address>(best: Address, ...others: readonly Address[]): Addresses<Address> {
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
