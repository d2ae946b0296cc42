import type { SocketMemory } from '../core/net/socket-memory.ts';
import type { Connection } from './connection.ts';
import type { Partials } from './inbound/partials.ts';
import type { BacklogMemory } from './outbound/backlog.ts';
import type { Sessions } from './sessions/sessions.ts';
import type { Sys } from './sys.ts';
import type { BrokerCounts, BrokerSettings } from './types.ts';

/** State that all connections of a broker share. */
export type BrokerContext = BrokerSettings & {
  readonly sessions: Sessions;
  readonly counts: BrokerCounts;
  /** Retained messages for subscribers: the host's, and the broker's own under $SYS. */
  readonly retained: Sys['retained'];
  /** Connections that have published since the store last caught up. */
  readonly publishers: Set<Connection>;
  readonly outgoing: SocketMemory;
  readonly partials: Partials;
  readonly backlog: BacklogMemory;
};
