import type { Message, QoS } from '../../core/message.ts';
import type { Output } from '../../core/net/output.ts';
import type { ProtocolError } from '../../mqtt/reasons.ts';
import type { Version } from '../../mqtt/version.ts';
import type { Drain, DrainSettings, QueueEntry, SimpleDrain } from '../../queue/types.ts';
import type { Peer } from '../listeners/socket.ts';
import type { DeliveryOptions } from '../sessions/subscriptions.ts';
import type { OutboundAliases } from './aliases.ts';

/** Connection of a client that receives messages. */
export type Receiver = {
  readonly peer: Peer;
  readonly output: Output;
  readonly version: Version;
  /** Maximum bytes of a packet to the client. Infinity if the client sets no limit. */
  readonly maximumPacketSize: number;
  /** Topic aliases of messages to the client. Undefined if the client accepts none. */
  readonly aliases: OutboundAliases | undefined;
  readonly closed: boolean;
  /** Sends an acknowledgement packet. */
  readonly acknowledge: (type: number, packetId: number, reasonCode: number) => void;
  /**
   * Closes the connection after flushing the output. Logs `fault`, and sends `fault` to an MQTT 5 client in
   * DISCONNECT. `fault` is undefined after a DISCONNECT of the client. If `reason` is given, the log contains
   * `reason` instead of the text of `fault`.
   */
  readonly close: (fault: ProtocolError | undefined, reason?: string) => void;
};

/** Queue whose messages are sent on a connection. */
export type QueueSource = {
  readonly drain: SimpleDrain;
  /** Topic under which all messages are sent. Undefined if each message is sent under its own topic. */
  readonly topic: string | undefined;
  /**
   * Returns the delivery options of a message. Undefined if access rules do not permit the client to receive
   * the message.
   */
  readonly optionsFor: (message: Message) => DeliveryOptions | undefined;
  /**
   * Returns an unacknowledged message to the queue of a shared group, so that another member receives the
   * message. Undefined for all other queues.
   */
  readonly requeue: Drain['requeue'] | undefined;
};

/** Delivery of a session's QoS 1 and 2 messages on one connection. */
export type Delivery = {
  /** Starts the delivery of the queue `name`. If `topic` is given, all messages are sent under this topic. */
  readonly attach: (
    name: string,
    open: (settings: DrainSettings) => SimpleDrain,
    topic: string | undefined,
  ) => void;
  /** Stops the delivery of the queue `name`. */
  readonly detach: (name: string) => void;
  /**
   * Sends an entry of a shared group's queue. Returns false if the output buffer is full or too many messages
   * are unacknowledged.
   */
  readonly send: (source: QueueSource, entry: QueueEntry) => boolean;
  /**
   * Sends a message that is not stored, or adds it to the backlog in memory. Returns false if the message
   * must be stored in the session's queue.
   */
  readonly offer: (message: Message, options: DeliveryOptions) => boolean;
  /** True if a message that is not stored can be sent immediately. */
  readonly ready: () => boolean;
  /**
   * Sends the bytes of a QoS 1 PUBLISH, with a new packet identifier at offset `idAt`. Must be called only if
   * `ready` returns true.
   */
  readonly forward: (bytes: Buffer, start: number, end: number, idAt: number) => void;
  /**
   * Handles PUBACK. Ignores an unknown packet identifier, because a client can acknowledge an old message
   * after a reconnect.
   */
  readonly puback: (packetId: number) => void;
  /** Handles PUBREC. Answers an unknown packet identifier with PUBREL. */
  readonly pubrec: (packetId: number, reasonCode: number) => void;
  /**
   * Handles PUBCOMP. Ignores an unknown packet identifier, because a client can acknowledge an old message
   * after a reconnect.
   */
  readonly pubcomp: (packetId: number) => void;
  /** Sends PUBREL. Called when the removal of a QoS 2 message from its queue is on disk. */
  readonly release: (packetId: number) => void;
  /** Sends waiting messages. Called when the output buffer has space again. */
  readonly wake: () => void;
  /** Stops the delivery of all queues. Called when the connection has closed. */
  readonly stop: () => void;
};

/**
 * Connection that can be paused. During a pause, the broker neither handles packets of the connection nor
 * reads its socket.
 */
export type Pausable = {
  /** Pauses the connection. Each call requires one call of `resume`. */
  readonly pause: () => void;
  readonly resume: () => void;
};

/** Connection of a client that receives retained messages. */
export type RetainedReceiver = Receiver &
  Pausable & {
    /** Calls `resume` when the output buffer has space again. */
    readonly whenDrained: (resume: () => void) => void;
    /** Logs an exception in the work of this connection, and closes the connection. */
    readonly fail: (thrown: unknown) => void;
  };

/** Subscription whose retained messages must be sent. `id` is its Subscription Identifier. */
export type NewSubscription = { readonly filter: string; readonly qos: QoS; readonly id: number | undefined };

/** Sends the retained messages of new subscriptions on one connection (MQTT 5, 3.3.1.3). */
export type RetainedSender = { readonly add: (subscriptions: readonly NewSubscription[]) => void };
