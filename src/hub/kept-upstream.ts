import type { Log } from '../core/log.ts';
import type { Store } from '../queue/types.ts';
import type { UpstreamMemory } from '../upstream/session.ts';
import { UPSTREAM_QUEUE } from './names.ts';

/* The session that the upstream keeps for the hub, as settled state of the store: its name, and its QoS 2 state; and its budget. */
const SESSION = 'upstream/session';
const FILTERS = 'upstream/filters';
const RELEASED = 'upstream/released/';
const UNANSWERED = 'upstream/unanswered';
const RECEIVED = 'upstream/received/';
const OFFERS = 'upstream/offers';
const BUDGET = 'upstream/budget';

const NOTHING = Buffer.alloc(0);

export function keepUpstream(store: Store, log: Log): UpstreamMemory {
  const told = (error?: Error): void => {
    if (error !== undefined) log.warn(`The state of the upstream is not kept: ${error.message}`);
  };
  return {
    budget: {
      now: store.now,
      load: () => budgetIn(store.get(BUDGET)),
      save: (left, at) => store.put(BUDGET, Buffer.from(`${left} ${at}`), told),
    },
    session: () => store.get(SESSION)?.toString(),
    keepSession: (session, settle) =>
      store.put(SESSION, session === undefined ? undefined : Buffer.from(session), settle),
    releases: {
      load: () =>
        store
          .names(RELEASED)
          .map((name): [number, number] => [
            Number(name.slice(RELEASED.length)),
            Number(store.get(name)?.toString()),
          ])
          // The order of the messages: PUBREL is sent in it [MQTT-4.6.0-4], and names are in another.
          .sort(([, one], [, other]) => one - other),
      keep: (packetId, sequence) => store.put(RELEASED + packetId, Buffer.from(String(sequence)), told),
      forget: packetId => store.put(RELEASED + packetId, undefined, told),
      loadUnanswered: () => (store.get(UNANSWERED)?.toString() ?? '').split(' ').filter(Boolean).map(Number),
      keepUnanswered: sequences => {
        const text = sequences.join(' ');
        store.put(UNANSWERED, text === '' ? undefined : Buffer.from(text), told);
      },
      first: count => store.heads(UPSTREAM_QUEUE, count),
    },
    receipts: {
      load: () => store.names(RECEIVED).map(name => Number(name.slice(RECEIVED.length))),
      note: packetId => ({ name: RECEIVED + packetId, value: NOTHING }),
      forget: (packetId, settle) => store.put(RECEIVED + packetId, undefined, settle),
    },
    offers: {
      load: () =>
        linesIn(store.get(OFFERS)).map((line): [string, boolean] => [line.slice(2), line.startsWith('2 ')]),
      save: all => {
        const lines = Array.from(all, ([address, offers]) => `${offers ? 2 : 1} ${address}`);
        store.put(OFFERS, Buffer.from(lines.join('\n')), told);
      },
    },
    filters: () => linesIn(store.get(FILTERS)),
    keepFilters: (filters, settle) => store.put(FILTERS, Buffer.from(filters.join('\n')), settle),
  };
}

/** A filter has no line in it that anybody would write. */
function linesIn(bytes: Buffer | undefined): string[] {
  return (bytes?.toString() ?? '').split('\n').filter(line => line !== '');
}

function budgetIn(bytes: Buffer | undefined): { readonly left: number; readonly at: number } | undefined {
  const [left = Number.NaN, at = Number.NaN] = (bytes?.toString() ?? '').split(' ').map(Number);
  return Number.isFinite(left) && Number.isFinite(at) && bytes !== undefined ? { left, at } : undefined;
}
