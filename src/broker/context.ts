import type { SocketMemory } from '../core/net/socket-memory.ts';
import type { Partials } from './inbound/partials.ts';
import type { BacklogMemory } from './outbound/backlog.ts';
import type { Sessions } from './sessions/sessions.ts';
import type { BrokerServices, RetainedSource } from './types.ts';

/** Connection that can be paused. Each call of `hold` needs one call of `resume`. */
export type Pausable = { readonly hold: () => void; readonly resume: () => void };

/** State that all connections of a broker share. */
export type BrokerContext = BrokerServices & {
  readonly sessions: Sessions;
  /** Retained messages of the store and of `$SYS`. */
  readonly retained: RetainedSource;
  /** Connections that have published since the store last caught up. */
  readonly publishers: Set<Pausable>;
  /** Memory of the output buffers of all sockets. */
  readonly outgoing: SocketMemory;
  /** Memory of the incomplete packets of all clients. */
  readonly partials: Partials;
  /** Memory of the messages that wait for clients without a persistent session. */
  readonly backlog: BacklogMemory;
};
