import type { SocketMemory } from '../core/net/socket-memory.ts';
import type { IncompletePackets } from './inbound/incomplete-packets.ts';
import type { BacklogMemory } from './outbound/backlog.ts';
import type { Pausable } from './outbound/types.ts';
import type { Sessions } from './sessions/sessions.ts';
import type { BrokerServices, RetainedSource } from './types.ts';

/** State that all connections of a broker share. */
export type BrokerContext = BrokerServices & {
  readonly sessions: Sessions;
  /** Retained messages of the store and of the $SYS topics. */
  readonly retained: RetainedSource;
  /**
   * Connections that have sent PUBLISH since the back-pressure of the store was last high. These connections
   * are paused when the back-pressure becomes high again.
   */
  readonly publishers: Set<Pausable>;
  /** Memory of the output buffers of all sockets together. */
  readonly outgoing: SocketMemory;
  /** Memory of the incomplete packets of all clients together. */
  readonly incompletePackets: IncompletePackets;
  /** Memory of the messages that wait for clients whose sessions are not persistent. */
  readonly backlog: BacklogMemory;
};
