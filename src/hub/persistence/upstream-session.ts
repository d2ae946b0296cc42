import type { Log } from '../../core/log.ts';
import { DEFAULT_UPSTREAM } from '../../core/message.ts';
import type { Store } from '../../queue/types.ts';
import type { UpstreamMemory } from '../../upstream/session.ts';
import { upstreamQueue } from '../queue-names.ts';

/** Returns the store keys of an upstream. No key is a prefix of a key of another upstream. */
function keysOf(upstream: string) {
  const prefix = upstream === DEFAULT_UPSTREAM ? 'upstream' : `upstreams/${upstream}`;
  return {
    session: `${prefix}/session`,
    filters: `${prefix}/filters`,
    released: `${prefix}/released/`,
    unanswered: `${prefix}/unanswered`,
    received: `${prefix}/received/`,
    offers: `${prefix}/offers`,
    budget: `${prefix}/budget`,
  };
}

const NOTHING = Buffer.alloc(0);

/**
 * Creates the storage of an upstream's session state in the metadata of the store. The session state consists
 * of the client identifier, the QoS 2 state, the subscriptions and the daily budget.
 */
export function keepUpstream(store: Store, log: Log, upstream = DEFAULT_UPSTREAM): UpstreamMemory {
  const keys = keysOf(upstream);
  const logFailure = (error?: Error): void => {
    if (error !== undefined)
      log.warn(`Cannot store the session state of upstream "${upstream}": ${error.message}`);
  };
  return {
    budget: {
      now: store.now,
      load: () => budgetIn(store.get(keys.budget)),
      save: (left, at) => store.put(keys.budget, Buffer.from(`${left} ${at}`), logFailure),
    },
    session: () => store.get(keys.session)?.toString(),
    keepSession: (session, settle) =>
      store.put(keys.session, session === undefined ? undefined : Buffer.from(session), settle),
    releases: {
      load: () =>
        store
          .names(keys.released)
          .map((name): [number, number] => [
            Number(name.slice(keys.released.length)),
            Number(store.get(name)?.toString()),
          ])
          // The packet identifiers are sorted by sequence, because PUBREL packets must be sent in message
          // order [MQTT-4.6.0-4]. The keys of the store are in a different order.
          .sort(([, one], [, other]) => one - other),
      keep: (packetId, sequence) =>
        store.put(keys.released + packetId, Buffer.from(String(sequence)), logFailure),
      forget: packetId => store.put(keys.released + packetId, undefined, logFailure),
      loadUnanswered: () =>
        (store.get(keys.unanswered)?.toString() ?? '').split(' ').filter(Boolean).map(Number),
      keepUnanswered: sequences => {
        const text = sequences.join(' ');
        store.put(keys.unanswered, text === '' ? undefined : Buffer.from(text), logFailure);
      },
      first: count => store.heads(upstreamQueue(upstream), count),
    },
    receipts: {
      load: () => store.names(keys.received).map(name => Number(name.slice(keys.received.length))),
      note: packetId => ({ name: keys.received + packetId, value: NOTHING }),
      forget: (packetId, settle) => store.put(keys.received + packetId, undefined, settle),
    },
    offers: {
      load: () =>
        linesIn(store.get(keys.offers)).map((line): [string, boolean] => [
          line.slice(2),
          line.startsWith('2 '),
        ]),
      save: all => {
        const lines = Array.from(all, ([address, offers]) => `${offers ? 2 : 1} ${address}`);
        store.put(keys.offers, Buffer.from(lines.join('\n')), logFailure);
      },
    },
    filters: () => linesIn(store.get(keys.filters)),
    keepFilters: (filters, settle) => store.put(keys.filters, Buffer.from(filters.join('\n')), settle),
  };
}

/** Splits a stored value into lines. The value contains one topic filter or address per line. */
function linesIn(bytes: Buffer | undefined): string[] {
  return (bytes?.toString() ?? '').split('\n').filter(line => line !== '');
}

function budgetIn(bytes: Buffer | undefined): { readonly left: number; readonly at: number } | undefined {
  const [left = Number.NaN, at = Number.NaN] = (bytes?.toString() ?? '').split(' ').map(Number);
  return Number.isFinite(left) && Number.isFinite(at) && bytes !== undefined ? { left, at } : undefined;
}
