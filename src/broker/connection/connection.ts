import type { LogFields } from '../../core/log.ts';
import type { Version } from '../../mqtt/version.ts';
import type { BrokerContext } from '../context.ts';
import type { Publisher } from '../inbound/ack-queue.ts';
import type { InboundAliases } from '../inbound/aliases.ts';
import type { OutboundAliases } from '../outbound/aliases.ts';
import type { FastPath } from '../outbound/fast-path.ts';
import type { RetainedReceiver, RetainedSender } from '../outbound/types.ts';
import type { Session } from '../sessions/session.ts';
import type { Will } from '../types.ts';

/** Number of clients of one listener, and its maximum. Modules do not count. */
export type ListenerClients = { readonly max: number; clients: number };

/** Network connection of a client, from its accept. */
export type Connection = Publisher &
  RetainedReceiver & {
    readonly context: BrokerContext;
    readonly listener: ListenerClients;
    /** Created on demand, because most of possibly thousands of clients are idle. */
    fastPath: FastPath | undefined;
    inboundAliases: InboundAliases | undefined;
    retained: RetainedSender | undefined;
    /** Fields of CONNECT, with defaults until it arrives. */
    version: Version;
    /** True for a bridge of another broker, which may publish its connection state. */
    bridge: boolean;
    maximumPacketSize: number;
    /** Undefined if the client accepts no topic aliases. */
    aliases: OutboundAliases | undefined;
    /** Undefined until CONNECT is accepted. */
    session: Session | undefined;
    /** Names in a CONNECT that has not been accepted yet. */
    claimed: Pick<LogFields, 'client' | 'user'> | undefined;
    will: Will | undefined;
    closed: boolean;
    /** Closes the connection when the incomplete packets of all clients exceed their memory. */
    readonly closeForMemory: () => void;
    /** Sets the milliseconds without a packet after which the connection is closed. 0 means never. */
    readonly keepAlive: (milliseconds: number) => void;
    readonly send: (packet: Buffer) => void;
  };
