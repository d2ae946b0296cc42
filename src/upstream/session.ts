import type { OnDurable } from '../core/message.ts';
import type { Upstream } from '../manifest/types.ts';
import type { Connack } from '../mqtt/answers/connack.ts';
import type { Arrivals, ReceiptStore } from './arrivals.ts';
import type { BudgetStore } from './budget.ts';
import { UPSTREAM_SESSION_SECONDS } from './limits.ts';
import type { OfferStore } from './offers.ts';
import type { ReleaseStore, Releases } from './releases.ts';

/** What is kept on disk of the upstream: of its budget, and of the session that it keeps for the hub. */
export type UpstreamMemory = {
  readonly budget: BudgetStore;
  readonly releases: ReleaseStore;
  readonly receipts: ReceiptStore;
  readonly offers: OfferStore;
  /** Which session the upstream may have; undefined: none that is known here. */
  readonly session: () => string | undefined;
  readonly keepSession: (session: string | undefined, settle: OnDurable) => void;
  /** The topic filters that the session is subscribed to. */
  readonly filters: () => readonly string[];
  readonly keepFilters: (filters: readonly string[], settle: OnDurable) => void;
};

/** The session that the upstream keeps for the hub: of use at QoS 2, and for what comes down. */
export type Session = {
  /** What CONNECT says of it. */
  readonly wanted: () => { readonly clean: boolean; readonly sessionExpiry: number };
  /**
   * The upstream has said whether it knows it; `begin` once messages may be sent. False: what it knew of another session is
   * wiped out, and `renew` comes once this one may begin, with a connection of its own: one that begins with a clean session
   * does not last on every server.
   */
  readonly agree: (terms: Connack, begin: OnDurable, renew: () => void) => boolean;
};

export function createSession(
  memory: UpstreamMemory,
  { releases, arrivals }: { readonly releases: Releases; readonly arrivals: Arrivals },
  clientId: string,
  { urls, exactlyOnce, down }: Pick<Upstream, 'urls' | 'exactlyOnce' | 'down'>,
): Session {
  const keeps = exactlyOnce || down.length > 0;
  const name = keeps ? JSON.stringify([clientId, urls.map(({ host, port }) => [host, port])]) : undefined;
  const isKnown = (): boolean => memory.session() === name;

  /** All that is known here of a session that is gone. */
  const forget = (): void => {
    releases.forgetAll();
    arrivals.forgetAll();
    if (memory.filters().length > 0) memory.keepFilters([], () => {});
  };

  return {
    wanted: () => ({ clean: !keeps || !isKnown(), sessionExpiry: keeps ? UPSTREAM_SESSION_SECONDS : 0 }),
    agree: (terms, begin, renew) => {
      if (!terms.sessionPresent) forget();
      if (isKnown()) {
        begin();
        return true;
      }
      // Nothing may be sent under an identifier of a session that would not be known again.
      memory.keepSession(name, error => {
        if (error !== undefined || name === undefined) begin(error);
        else renew();
      });
      return name === undefined;
    },
  };
}
