/**
 * Holder: the module, user or network whose share of a resource is charged. `module:<name>`, `user:<name>`,
 * `address:<network>` for a client without a user name, or LOCAL_CLIENTS.
 */
export type Holder = string;

/**
 * Holder for all clients of this machine while the manifest has no access rules, because the hub cannot
 * distinguish them.
 */
export const LOCAL_CLIENTS: Holder = 'local';

/** Holder of data that an older version of the hub stored without a holder. */
export const UNKNOWN_HOLDER: Holder = 'unknown';

export function moduleHolder(name: string): Holder {
  return `module:${name}`;
}

export function userHolder(name: string): Holder {
  return `user:${name}`;
}

export function addressHolder(network: string): Holder {
  return `address:${network}`;
}

/** Fraction of a resource's bound that modules can use in addition to the bound. */
const MODULE_RESERVE = 1 / 8;

/** Minimum amount that modules can use in addition to a resource's bound. */
const MIN_MODULE_RESERVE = 32;

/** Returns the amount that only modules can use, in addition to a resource's bound. */
export function moduleReserve(bound: number): number {
  return Math.max(MIN_MODULE_RESERVE, Math.ceil(bound * MODULE_RESERVE));
}

export type SharesSettings = {
  /** Name of the resource in reports. */
  readonly resource: string;
  /** Plural noun for sentences, such as "persistent sessions". */
  readonly plural: string;
  /** Returns the maximum amount that all clients together are allowed to use. */
  readonly bound: () => number;
  /** Advice for the operator. Follows the reason of a refusal in the log. */
  readonly remedy: string;
};

/**
 * Use of one resource by its holders (modules, users or networks), for `skerry ps`. The name of the resource
 * contains the unit.
 */
export type ShareReport = {
  readonly resource: string;
  readonly held: number;
  readonly bound: number;
  readonly holders: number;
  /** Holder that uses most of the resource. Undefined if there is no holder. */
  readonly largest: { readonly holder: Holder; readonly held: number } | undefined;
};

/** Reason why a holder (module, user or network) is not allowed to use more of a resource. */
export type ShareRefusal = {
  /** Reason for the peer. Names no other holder. */
  readonly reason: string;
  /** Reason for the log. Names the holder that uses most of the resource. */
  readonly logged: string;
};

/** Amounts of one resource that its holders use. */
export type Shares = {
  /** Adds to the amount of a holder. Subtracts if `amount` is negative. */
  readonly add: (holder: Holder, amount: number) => void;
  /**
   * Returns the reason if a holder is not allowed to use `amount` more. Undefined if the holder is allowed
   * to.
   */
  readonly refusal: (holder: Holder, amount: number) => ShareRefusal | undefined;
  /** Returns the maximum amount for a holder, including the amount that it already uses. */
  readonly most: (holder: Holder) => number;
  readonly held: (holder: Holder) => number;
  readonly report: () => ShareReport;
};

/**
 * Divides a resource among its holders (modules, users or networks). Each holder is allowed to use half of
 * the amount that other holders do not use. A first holder can therefore use half of the resource, a second
 * holder a quarter, and so on. For modules the bound is higher by an eighth, and by at least 32.
 * LOCAL_CLIENTS is allowed to use the whole amount that other holders do not use, because there are no other
 * clients.
 */
export function createShares({ resource, plural, bound, remedy }: SharesSettings): Shares {
  const amounts = new Map<Holder, number>();
  let total = 0;

  const held = (holder: Holder): number => amounts.get(holder) ?? 0;

  const most = (holder: Holder): number => {
    const reserve = holder.startsWith('module:') ? moduleReserve(bound()) : 0;
    const left = Math.max(0, bound() + reserve - (total - held(holder)));
    return holder === LOCAL_CLIENTS ? left : Math.ceil(left / 2);
  };

  const largest = (): ShareReport['largest'] => {
    let found: ShareReport['largest'];
    for (const [holder, amount] of amounts)
      if (found === undefined || amount > found.held) found = { holder, held: amount };
    return found;
  };

  return {
    add: (holder, amount) => {
      total += amount;
      const now = held(holder) + amount;
      if (now === 0) amounts.delete(holder);
      else amounts.set(holder, now);
    },
    refusal: (holder, amount) => {
      if (held(holder) + amount <= most(holder)) return undefined;
      const first = largest();
      const holders =
        first === undefined ? '' : `, most of them (${first.held}) by ${holderName(first.holder)}`;
      const now = `${total} of ${bound()} ${plural} are in use${holders}`;
      const own = `${holderName(holder)} may have ${most(holder)}`;
      return {
        reason: `${own} ${plural} and has ${held(holder)}`,
        logged: `${now}; ${own} and has ${held(holder)}: ${remedy}`,
      };
    },
    most,
    held,
    report: () => ({ resource, held: total, bound: bound(), holders: amounts.size, largest: largest() }),
  };
}

/** Returns the name of a holder for logs and errors, such as `user "kitchen"`. */
export function holderName(holder: Holder): string {
  if (holder === LOCAL_CLIENTS) return 'clients of this machine';
  if (holder === UNKNOWN_HOLDER) return 'an unknown holder';
  const colon = holder.indexOf(':');
  const [kind, name] = [holder.slice(0, colon), holder.slice(colon + 1)];
  return kind === 'address' ? `address ${name}` : `${kind} "${name}"`;
}
