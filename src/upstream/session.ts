import type { OnDurable } from '../core/message.ts';
import type { Upstream } from '../manifest/types.ts';
import type { Connack } from '../mqtt/answers/connack.ts';
import { UPSTREAM_SESSION_SECONDS } from './limits.ts';
import type { Qos2SupportStore } from './messages/qos2-detection.ts';
import type { Qos2Inbound, Qos2InboundStore } from './messages/qos2-inbound.ts';
import type { Qos2Outbound, Qos2OutboundStore } from './messages/qos2-outbound.ts';
import type { BudgetStore } from './metering/budget.ts';

/** Durable state of an upstream: its budget and its session. */
export type UpstreamMemory = {
  readonly budget: BudgetStore;
  readonly releases: Qos2OutboundStore;
  readonly receipts: Qos2InboundStore;
  readonly offers: Qos2SupportStore;
  /** Name of the session that the upstream may have. Undefined if none is known. */
  readonly session: () => string | undefined;
  readonly keepSession: (session: string | undefined, settle: OnDurable) => void;
  /** Topic filters of the session. */
  readonly filters: () => readonly string[];
  readonly keepFilters: (filters: readonly string[], settle: OnDurable) => void;
};

/** Session at the upstream, needed for QoS 2 and for downstream messages. */
export type UpstreamSession = {
  /** Session fields of CONNECT. */
  readonly wanted: () => { readonly clean: boolean; readonly sessionExpiry: number };
  /**
   * Handles CONNACK. Calls `begin` when messages may be sent. Returns false if the state of another session
   * is deleted; `renew` is called when the new session may begin with a new connection, because a session
   * that begins with Clean Start does not persist on every server.
   */
  readonly agree: (terms: Connack, begin: OnDurable, renew: () => void) => boolean;
};

export function createSession(
  memory: UpstreamMemory,
  { releases, arrivals }: { readonly releases: Qos2Outbound; readonly arrivals: Qos2Inbound },
  clientId: string,
  { urls, exactlyOnce, down }: Pick<Upstream, 'urls' | 'exactlyOnce' | 'down'>,
): UpstreamSession {
  const keeps = exactlyOnce || down.length > 0;
  const name = keeps ? JSON.stringify([clientId, urls.map(({ host, port }) => [host, port])]) : undefined;
  const isKnown = (): boolean => memory.session() === name;

  /** Deletes the state of a lost session. */
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
      // Stored first, because no identifier may be used in a session that the hub would not recognize later.
      memory.keepSession(name, error => {
        if (error !== undefined || name === undefined) begin(error);
        else renew();
      });
      return name === undefined;
    },
  };
}
