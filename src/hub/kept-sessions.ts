import type { BrokerHost, Identity, StoredSession } from '../broker/types.ts';
import type { Log } from '../core/log.ts';
import type { QoS } from '../core/message.ts';
import type { Store } from '../queue/types.ts';

const PREFIX = 'session/';

type KeptSessions = Pick<BrokerHost, 'sessions' | 'saveSession' | 'forgetSession'>;

/** Persistent MQTT sessions as settled state of the store: one JSON value for each. */
export function keepSessions(store: Store, log: Log): KeptSessions {
  const load = (name: string): StoredSession[] => {
    const session = sessionFrom(store.get(name));
    if (session === undefined) log.error(`The kept session "${name}" is damaged and is left out.`);
    return session === undefined ? [] : [session];
  };
  return {
    sessions: () => store.names(PREFIX).flatMap(load),
    saveSession: (session, settle) => {
      store.put(PREFIX + session.id, Buffer.from(JSON.stringify(session)), settle);
    },
    forgetSession: (id, queue, settle) => {
      store.purge(queue);
      store.put(PREFIX + id, undefined, settle);
    },
  };
}

function sessionFrom(bytes: Buffer | undefined): StoredSession | undefined {
  const value: unknown = bytes === undefined ? undefined : JSON.parse(bytes.toString());
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('id' in value && 'clientId' in value && 'identity' in value && 'subscriptions' in value))
    return undefined;
  const { id, clientId, subscriptions } = value;
  const identity = identityFrom(value.identity);
  if (typeof id !== 'string' || typeof clientId !== 'string' || identity === undefined) return undefined;
  if (!Array.isArray(subscriptions)) return undefined;
  const list: unknown[] = subscriptions;
  return { id, clientId, identity, subscriptions: list.flatMap(subscriptionFrom) };
}

function identityFrom(value: unknown): Identity | undefined {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined;
  if (value.kind === 'client') {
    const user = 'user' in value && typeof value.user === 'string' ? value.user : undefined;
    return { kind: 'client', user };
  }
  if (value.kind !== 'module' || !('module' in value) || typeof value.module !== 'string') return undefined;
  return { kind: 'module', module: value.module };
}

function subscriptionFrom(value: unknown): [string, QoS][] {
  if (!Array.isArray(value)) return [];
  const [filter, qos]: unknown[] = value;
  return typeof filter === 'string' && (qos === 0 || qos === 1 || qos === 2) ? [[filter, qos]] : [];
}
