import type { Settle } from '../core/message.ts';
import { UPSTREAM_SESSION } from '../core/upstream-limits.ts';
import type { Upstream } from '../manifest/types.ts';
import type { Connack } from '../mqtt/answers/connack.ts';
import type { ReceiptStore } from './inflow.ts';
import type { ReleaseStore, Releases } from './releases.ts';

/** What is kept on disk of the session that the upstream keeps for the hub. */
export type UpstreamMemory = {
  readonly releases: ReleaseStore;
  readonly receipts: ReceiptStore;
  /** Which session the upstream may have; undefined: none that is known here. */
  readonly session: () => string | undefined;
  readonly keepSession: (session: string | undefined, settle: Settle) => void;
  /** The topic filters that the session is subscribed to. */
  readonly filters: () => readonly string[];
  readonly keepFilters: (filters: readonly string[], settle: Settle) => void;
};

/** The session that the upstream keeps for the hub: of use at QoS 2, and for what comes down. */
export type Session = {
  /** What CONNECT says of it. */
  readonly wanted: () => { readonly clean: boolean; readonly sessionExpiry: number };
  /** The upstream has said whether it knows it; `begin` once messages may be sent. */
  readonly agree: (terms: Connack, begin: Settle) => void;
};

export function createSession(
  memory: UpstreamMemory,
  releases: Releases,
  clientId: string,
  { urls, exactlyOnce, down }: Pick<Upstream, 'urls' | 'exactlyOnce' | 'down'>,
): Session {
  const keeps = exactlyOnce || down.length > 0;
  const name = keeps ? JSON.stringify([clientId, urls.map(({ host, port }) => [host, port])]) : undefined;
  const isKnown = (): boolean => memory.session() === name;

  /** All that is known here of a session that is gone. */
  const forget = (): void => {
    releases.forgetAll();
    for (const packetId of memory.receipts.load()) memory.receipts.forget(packetId, () => {});
    if (memory.filters().length > 0) memory.keepFilters([], () => {});
  };

  return {
    wanted: () => ({ clean: !keeps || !isKnown(), sessionExpiry: keeps ? UPSTREAM_SESSION : 0 }),
    agree: (terms, begin) => {
      if (!terms.sessionPresent) forget();
      // Nothing may be sent under an identifier of a session that would not be known again.
      if (isKnown()) begin();
      else memory.keepSession(name, begin);
    },
  };
}
