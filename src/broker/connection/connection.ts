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

/** Number of clients that are connected to one listener, and the maximum number. Modules are not counted. */
export type ListenerClients = { readonly max: number; clients: number };

/** Network Connection of a client. Created when the broker accepts the client's socket. */
export type Connection = Publisher &
  RetainedReceiver & {
    readonly context: BrokerContext;
    readonly listener: ListenerClients;
    /**
     * Fast path of the client's messages. Created on first use, because most clients do not publish often.
     */
    fastPath: FastPath | undefined;
    /** Topic aliases that the client has assigned. Created on first use, because most clients assign none. */
    inboundAliases: InboundAliases | undefined;
    /**
     * Sender of retained messages. Created on first use, because most clients receive no retained messages.
     */
    retained: RetainedSender | undefined;
    /** Protocol version of the client. MQTT 3.1.1 until CONNECT arrives. */
    version: Version;
    /**
     * True if the client is a bridge of another broker. Only a bridge is permitted to publish its connection
     * state without an access rule.
     */
    bridge: boolean;
    /** Maximum bytes of a packet to the client. Infinity if the client sets no limit. */
    maximumPacketSize: number;
    /** Topic aliases of messages to the client. Undefined if the client accepts none. */
    aliases: OutboundAliases | undefined;
    /** Session of the client. Undefined until CONNECT is accepted. */
    session: Session | undefined;
    /** Client identifier and user name of a CONNECT that is not accepted yet. */
    claimed: Pick<LogFields, 'client' | 'user'> | undefined;
    /** Will that is published when the connection closes. Undefined if the client has no will. */
    will: Will | undefined;
    closed: boolean;
    /** Closes the connection because the incomplete packets of all clients exceed their maximum memory. */
    readonly closeForMemory: () => void;
    /**
     * Sets the keep-alive timeout in milliseconds. The connection is closed if no packet arrives within the
     * timeout. 0 means no timeout.
     */
    readonly keepAlive: (milliseconds: number) => void;
    /** Sends a packet. Closes the connection if the packet exceeds the client's Maximum Packet Size. */
    readonly send: (packet: Buffer) => void;
  };
