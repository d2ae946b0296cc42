import {
  MAX_CONNECTIONS,
  MAX_PERSISTENT_SESSIONS,
  MAX_RETAINED,
  MAX_RETAINED_BYTES,
  MAX_SUBSCRIPTION_BYTES,
  MAX_WILL_BYTES,
} from '../limits.ts';
import type { ShareReport, Shares } from './shares.ts';
import { createShares } from './shares.ts';

/** Maximum amounts of the resources that all clients share. */
export type ResourceBounds = {
  readonly connections: number;
  /** Number of persistent sessions. */
  readonly sessions: number;
  readonly subscriptionBytes: number;
  /** Number of retained messages. */
  readonly retained: number;
  readonly retainedBytes: number;
  /** Bytes of memory that wills use. */
  readonly willBytes: number;
  /** Bytes of disk that messages for sessions and shared groups use. */
  readonly queueBytes: number;
};

export const DEFAULT_BOUNDS: ResourceBounds = {
  connections: MAX_CONNECTIONS,
  sessions: MAX_PERSISTENT_SESSIONS,
  subscriptionBytes: MAX_SUBSCRIPTION_BYTES,
  retained: MAX_RETAINED,
  retainedBytes: MAX_RETAINED_BYTES,
  willBytes: MAX_WILL_BYTES,
  queueBytes: Number.MAX_SAFE_INTEGER,
};

export type Resource = keyof ResourceBounds;

/** Shares of every resource that a single client could exhaust. */
export type Resources = Readonly<Record<Resource, Shares>>;

const TEXTS: Readonly<Record<Resource, { readonly plural: string; readonly remedy: string }>> = {
  connections: { plural: 'connections', remedy: 'see "skerry clients", or raise limits.connections' },
  sessions: { plural: 'persistent sessions', remedy: 'see "skerry sessions", or raise limits.sessions' },
  subscriptionBytes: {
    plural: 'bytes of subscriptions',
    remedy: 'see "skerry sessions", or raise limits.subscriptionBytes',
  },
  retained: { plural: 'retained messages', remedy: 'see "skerry retained", or raise limits.retained' },
  retainedBytes: {
    plural: 'bytes of retained messages',
    remedy: 'see "skerry retained", or raise limits.retainedBytes',
  },
  willBytes: { plural: 'bytes of wills', remedy: 'see "skerry clients"' },
  queueBytes: {
    plural: 'bytes of messages that wait for sessions',
    remedy: 'see "skerry sessions", or raise storeAndForward.maxSize',
  },
};

/** Creates the shares of all limited resources. `bounds` returns the current limits. */
export function createResources(bounds: () => ResourceBounds): Resources {
  const shares = (resource: Resource): Shares =>
    createShares({ resource, bound: () => bounds()[resource], ...TEXTS[resource] });
  return {
    connections: shares('connections'),
    sessions: shares('sessions'),
    subscriptionBytes: shares('subscriptionBytes'),
    retained: shares('retained'),
    retainedBytes: shares('retainedBytes'),
    willBytes: shares('willBytes'),
    queueBytes: shares('queueBytes'),
  };
}

export function reportOf(resources: Resources): ShareReport[] {
  return Object.values(resources).map(shares => shares.report());
}
