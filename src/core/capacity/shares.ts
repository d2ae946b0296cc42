/**
 * Holder of a resource: `module:<name>`, `user:<name>`, `address:<network>` of clients without a name, or
 * LOCAL_CLIENTS.
 */
export type Holder = string;

/**
 * All clients of this machine together while the manifest has no access rules, because they cannot be told
 * apart.
 */
export const LOCAL_CLIENTS: Holder = 'local';

/** Holder of what an older hub has stored, which knew no holders. */
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

/** Fraction of a bound that modules may use beyond it, and its minimum. Clients cannot use it. */
const MODULE_RESERVE = 1 / 8;
const MIN_MODULE_RESERVE = 32;

/** Amount of a resource that modules alone may take, beyond its bound. */
export function moduleReserve(bound: number): number {
  return Math.max(MIN_MODULE_RESERVE, Math.ceil(bound * MODULE_RESERVE));
}

export type SharesSettings = {
  /** Name of the resource in reports. */
  readonly resource: string;
  /** Plural noun for sentences: "persistent sessions". */
  readonly plural: string;
  /** The most that clients may hold together, as it is now. */
  readonly bound: () => number;
  /** Advice for the operator, after "Refused: ...;". */
  readonly remedy: string;
};

/** Use of one resource by its holders, for `skerry ps`. The name of the resource gives the unit. */
export type ShareReport = {
  readonly resource: string;
  readonly held: number;
  readonly bound: number;
  readonly holders: number;
  /** Undefined if there is no holder. */
  readonly largest: { readonly holder: Holder; readonly held: number } | undefined;
};

/** Reason why a holder may not take more of a resource. */
export type ShareRefusal = {
  /** For the peer: it names no other holder. */
  readonly reason: string;
  /** For the log: with the largest holder. */
  readonly logged: string;
};

/** Amounts of one resource by holder. */
export type Shares = {
  /** Adds an amount; a negative one is given back. */
  readonly add: (holder: Holder, amount: number) => void;
  /** Reason why a holder may not take `amount` more; undefined if it may. */
  readonly refusal: (holder: Holder, amount: number) => ShareRefusal | undefined;
  /** The most that a holder may have, as much as it has already included. */
  readonly most: (holder: Holder) => number;
  readonly held: (holder: Holder) => number;
  readonly report: () => ShareReport;
};

/**
 * Divides a resource among its holders by one rule: nobody may hold more than it leaves free. So one holder
 * may have half of it, the next half of the rest, and whoever comes later still finds some. Modules may go
 * beyond the bound by an eighth, and by 32 at least, which clients cannot take. LOCAL_CLIENTS may have all
 * that the others leave: there is nobody to leave it for.
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

/** A holder for people: `user "kitchen"`. */
export function holderName(holder: Holder): string {
  if (holder === LOCAL_CLIENTS) return 'clients of this machine';
  if (holder === UNKNOWN_HOLDER) return 'an unknown holder';
  const colon = holder.indexOf(':');
  const [kind, name] = [holder.slice(0, colon), holder.slice(colon + 1)];
  return kind === 'address' ? `address ${name}` : `${kind} "${name}"`;
}
