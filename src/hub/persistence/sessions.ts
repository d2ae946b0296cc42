import type { Subscription } from '../../broker/sessions/subscriptions.ts';
import type { Identity, SessionStore, StoredQos2State, StoredSession } from '../../broker/types.ts';
import type { Holder } from '../../core/capacity/shares.ts';
import { LOCAL_CLIENTS, moduleHolder, userHolder } from '../../core/capacity/shares.ts';
import { storedJson } from '../../core/files/stored-json.ts';
import type { Log } from '../../core/log.ts';
import type { Store } from '../../queue/types.ts';
import { decodeWill, encodeWill } from './wills.ts';

/*
 * Persistent MQTT sessions are stored in the metadata of the store. Each session is one JSON value. Each
 * packet identifier of a session's QoS 2 state is a separate value. The constants below are the prefixes of
 * the keys.
 */
const SESSIONS = 'session/';
const RECEIVED = 'received/';
const RELEASED = 'released/';
const WILLS = 'will/';
/** Prefix of the keys under which older versions of the hub stored sent messages. These keys are deleted. */
const OLD_SENT = 'sent/';

const NOTHING = Buffer.alloc(0);

export function keepSessions(store: Store, log: Log): SessionStore {
  const load = (name: string, received: Notes, released: Notes): ReturnType<SessionStore['load']> => {
    const session = sessionFrom(store.get(name));
    if (session === undefined) {
      log.error(`Ignored the stored session "${name}": its data is damaged.`);
      return [];
    }
    const flights: StoredQos2State = {
      received: received.get(session.id) ?? [],
      released: (released.get(session.id) ?? [])
        .map((packetId): [number, number] => {
          const sequence = store.get(noteName(RELEASED, session.id, packetId));
          return [packetId, Number(sequence?.toString())];
        })
        // The packet identifiers are sorted by sequence, because PUBREL packets must be sent in message order
        // [MQTT-4.6.0-4]. The keys of the store are in a different order.
        .sort(([, one], [, other]) => one - other),
    };
    return [{ ...session, ...flights, will: decodeWill(store.get(WILLS + session.id)) }];
  };

  const drop = (name: string): void =>
    store.put(name, undefined, error => {
      if (error !== undefined) log.warn(`Cannot delete "${name}" from the stored sessions: ${error.message}`);
    });

  return {
    load: () => {
      for (const name of store.names(OLD_SENT)) drop(name);
      const received = notesOf(store.names(RECEIVED), RECEIVED);
      const released = notesOf(store.names(RELEASED), RELEASED);
      return store.names(SESSIONS).flatMap(name => load(name, received, released));
    },
    save: (session, settle) => {
      store.put(SESSIONS + session.id, Buffer.from(JSON.stringify(session)), settle);
    },
    remove: (id, queue, settle) => {
      store.purge(queue);
      for (const prefix of [RECEIVED, RELEASED]) {
        const own = notesOf(store.names(`${prefix}${id}/`), prefix).get(id) ?? [];
        for (const packetId of own) drop(noteName(prefix, id, packetId));
      }
      if (store.get(WILLS + id) !== undefined) drop(WILLS + id);
      store.put(SESSIONS + id, undefined, settle);
    },
    saveWill: (id, will) =>
      store.put(WILLS + id, encodeWill(will), error => {
        if (error !== undefined) log.warn(`Cannot store the MQTT will of session "${id}": ${error.message}`);
      }),
    removeWill: id => drop(WILLS + id),
    receivedEntry: (id, packetId) => ({ name: noteName(RECEIVED, id, packetId), value: NOTHING }),
    removeReceived: (id, packetId, settle) => store.put(noteName(RECEIVED, id, packetId), undefined, settle),
    saveReleased: (id, packetId, sequence) =>
      store.put(noteName(RELEASED, id, packetId), Buffer.from(String(sequence)), error => {
        if (error !== undefined)
          log.warn(`Cannot store the QoS 2 state of session "${id}": ${error.message}`);
      }),
    removeReleased: (id, packetId) => drop(noteName(RELEASED, id, packetId)),
  };
}

/** Packet identifiers by session. */
type Notes = ReadonlyMap<string, readonly number[]>;

function noteName(prefix: string, id: string, packetId: number): string {
  return `${prefix}${id}/${packetId}`;
}

function notesOf(names: readonly string[], prefix: string): Notes {
  const notes = new Map<string, number[]>();
  for (const name of names) {
    const end = name.lastIndexOf('/');
    const id = name.slice(prefix.length, end);
    const known = notes.get(id);
    const packetId = Number(name.slice(end + 1));
    if (known === undefined) notes.set(id, [packetId]);
    else known.push(packetId);
  }
  return notes;
}

function sessionFrom(bytes: Buffer | undefined): StoredSession | undefined {
  const value = storedJson(bytes);
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('id' in value && 'clientId' in value && 'identity' in value && 'subscriptions' in value))
    return undefined;
  const { id, clientId, subscriptions } = value;
  const identity = identityFrom(value.identity);
  if (typeof id !== 'string' || typeof clientId !== 'string' || identity === undefined) return undefined;
  if (!Array.isArray(subscriptions)) return undefined;
  const list: unknown[] = subscriptions;
  return {
    id,
    clientId,
    identity,
    holder: 'holder' in value && typeof value.holder === 'string' ? value.holder : holderOfKept(identity),
    opened: 'opened' in value && typeof value.opened === 'number' ? value.opened : undefined,
    subscriptions: list.flatMap(subscriptionFrom),
    // A session that never expires has the expiry Infinity. JSON encodes Infinity as null.
    expiry: 'expiry' in value && typeof value.expiry === 'number' ? value.expiry : Number.POSITIVE_INFINITY,
    ends: 'ends' in value && typeof value.ends === 'number' ? value.ends : undefined,
  };
}

/**
 * Returns the holder (the user or module whose share is charged) of a session that an older version of the
 * hub stored without a holder.
 */
function holderOfKept(identity: Identity): Holder {
  if (identity.kind === 'module') return moduleHolder(identity.module);
  return identity.user === undefined ? LOCAL_CLIENTS : userHolder(identity.user);
}

function identityFrom(value: unknown): Identity | undefined {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined;
  if (value.kind === 'client') {
    return {
      kind: 'client',
      user: 'user' in value && typeof value.user === 'string' ? value.user : undefined,
    };
  }
  if (value.kind !== 'module' || !('module' in value) || typeof value.module !== 'string') return undefined;
  return { kind: 'module', module: value.module };
}

function subscriptionFrom(value: unknown): [string, Subscription][] {
  if (!Array.isArray(value)) return [];
  const [filter, wanted]: unknown[] = value;
  if (typeof filter !== 'string' || typeof wanted !== 'object' || wanted === null || !('qos' in wanted))
    return [];
  const { qos } = wanted;
  if (qos !== 0 && qos !== 1 && qos !== 2) return [];
  const subscription: Subscription = {
    qos,
    noLocal: 'noLocal' in wanted && wanted.noLocal === true,
    retainAsPublished: 'retainAsPublished' in wanted && wanted.retainAsPublished === true,
    id: 'id' in wanted && typeof wanted.id === 'number' ? wanted.id : undefined,
  };
  return [[filter, subscription]];
}
