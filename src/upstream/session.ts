import type { OnDurable } from '../core/message.ts';
import type { Upstream } from '../manifest/types.ts';
import type { Connack } from '../mqtt/answers/connack.ts';
import { UPSTREAM_SESSION_SECONDS } from './limits.ts';
import type { Qos2SupportStore } from './messages/qos2-detection.ts';
import type { Qos2Inbound, Qos2InboundStore } from './messages/qos2-inbound.ts';
import type { Qos2Outbound, Qos2OutboundStore } from './messages/qos2-outbound.ts';
import type { BudgetStore } from './metering/budget.ts';

/** Durable state of an upstream: the byte budget and the MQTT session. */
export type UpstreamMemory = {
  readonly budget: BudgetStore;
  readonly releases: Qos2OutboundStore;
  readonly receipts: Qos2InboundStore;
  readonly offers: Qos2SupportStore;
  /**
   * Returns the stored name of the session that possibly exists on the server. Returns undefined if no name
   * is stored.
   */
  readonly session: () => string | undefined;
  readonly keepSession: (session: string | undefined, settle: OnDurable) => void;
  /** Topic filters to which the session is subscribed. */
  readonly filters: () => readonly string[];
  readonly keepFilters: (filters: readonly string[], settle: OnDurable) => void;
};

/**
 * MQTT session on the server. A session that survives a reconnect is needed for QoS 2 and for downstream
 * messages.
 */
export type UpstreamSession = {
  /** Returns the session fields of the CONNECT packet. */
  readonly wanted: () => { readonly clean: boolean; readonly sessionExpiry: number };
  /**
   * Handles CONNACK. Usually returns true and calls `begin` when the hub can send messages. If a persistent
   * session is new, returns false, stores the name of the session and then calls `renew`. The hub must then
   * reconnect, because some servers do not store a session that was created with Clean Start.
   */
  readonly agree: (terms: Connack, begin: OnDurable, renew: () => void) => boolean;
};

export function createSession(
  memory: UpstreamMemory,
  { releases, arrivals }: { readonly releases: Qos2Outbound; readonly arrivals: Qos2Inbound },
  clientId: string,
  { urls, exactlyOnce, down }: Pick<Upstream, 'urls' | 'exactlyOnce' | 'down'>,
): UpstreamSession {
  const isPersistent = exactlyOnce || down.length > 0;
  const name = isPersistent
    ? JSON.stringify([clientId, urls.map(({ host, port }) => [host, port])])
    : undefined;
  const isKnown = (): boolean => memory.session() === name;

  /** Deletes the stored state of a session that the server has lost. */
  const forget = (): void => {
    releases.forgetAll();
    arrivals.forgetAll();
    if (memory.filters().length > 0) memory.keepFilters([], () => {});
  };

  return {
    wanted: () => ({
      clean: !isPersistent || !isKnown(),
      sessionExpiry: isPersistent ? UPSTREAM_SESSION_SECONDS : 0,
    }),
    agree: (terms, begin, renew) => {
      if (!terms.sessionPresent) forget();
      if (isKnown()) {
        begin();
        return true;
      }
      // The name of the session is stored before any message is sent. Otherwise the hub would not recognize
      // the session after a restart, although the session still uses packet identifiers.
      memory.keepSession(name, error => {
        if (error !== undefined || name === undefined) begin(error);
        else renew();
      });
      return name === undefined;
    },
  };
}
