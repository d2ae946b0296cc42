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
  /** Name of the session that the server may have stored. Undefined if there is none. */
  readonly session: () => string | undefined;
  readonly keepSession: (session: string | undefined, settle: OnDurable) => void;
  /** Topic filters to which the session is subscribed. */
  readonly filters: () => readonly string[];
  readonly keepFilters: (filters: readonly string[], settle: OnDurable) => void;
};

/** MQTT session on the server. QoS 2 and downstream messages need one that survives a reconnect. */
export type UpstreamSession = {
  /** Session fields of CONNECT. */
  readonly wanted: () => { readonly clean: boolean; readonly sessionExpiry: number };
  /**
   * Handles CONNACK and calls `begin` when messages may be sent. Returns false if the hub has not stored the
   * name of this session. Then the name is stored, and `renew` is called: the hub must reconnect, because
   * some servers do not store a session that was created with Clean Start.
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
      // The name is stored first. Otherwise the hub could use packet identifiers in a session that it does
      // not recognize after a restart.
      memory.keepSession(name, error => {
        if (error !== undefined || name === undefined) begin(error);
        else renew();
      });
      return name === undefined;
    },
  };
}
