import type { Message, QoS } from '../../core/message.ts';
import type { Output } from '../../core/net/output.ts';
import type { ProtocolError } from '../../mqtt/reasons.ts';
import type { Version } from '../../mqtt/version.ts';
import type { Drain, DrainSettings, QueueEntry, SimpleDrain } from '../../queue/types.ts';
import type { Peer } from '../listeners/socket.ts';
import type { Allowance } from '../sessions/subscriptions.ts';
import type { OutboundAliases } from './aliases.ts';

/** Connection of a client, as far as it receives messages. */
export type Receiver = {
  readonly peer: Peer;
  readonly output: Output;
  readonly version: Version;
  /** Maximum bytes of a packet that the client accepts. Infinity if it has no limit. */
  readonly maximumPacketSize: number;
  /** Undefined if the client accepts no topic aliases. */
  readonly aliases: OutboundAliases | undefined;
  readonly closed: boolean;
  /** Sends an acknowledgement packet. */
  readonly acknowledge: (type: number, packetId: number, reasonCode: number) => void;
  /**
   * Closes the connection after flushing the output. A protocol error is logged, and sent to an MQTT 5 client
   * in DISCONNECT. Undefined after a client's DISCONNECT. `reason` replaces the error's text in the log.
   */
  readonly close: (fault: ProtocolError | undefined, reason?: string) => void;
};

/** Queue that is delivered on a connection. */
export type QueueSource = {
  readonly drain: SimpleDrain;
  /** Topic that replaces the message's own. */
  readonly topic: string | undefined;
  /** Delivery options of a message. Undefined if the client may no longer receive it. */
  readonly allowance: (message: Message) => Allowance | undefined;
  /**
   * Returns unacknowledged messages to the queue for another receiver. Undefined if they wait for this
   * client.
   */
  readonly giveBack: Drain['requeue'] | undefined;
};

/** Delivery of a session's QoS 1 and 2 messages on one connection. */
export type Delivery = {
  /** Starts to deliver a queue under `name`. `topic` replaces the messages' topics if given. */
  readonly attach: (
    name: string,
    open: (settings: DrainSettings) => SimpleDrain,
    topic: string | undefined,
  ) => void;
  readonly detach: (name: string) => void;
  /** Sends an entry of a shared queue. Returns false if the window is full. */
  readonly send: (source: QueueSource, entry: QueueEntry) => boolean;
  /**
   * Accepts a message that lives only as long as this connection. Returns false if it must go into the
   * session's queue.
   */
  readonly offer: (message: Message, allowance: Allowance) => boolean;
  /** True if a message that is not stored would be sent at once. */
  readonly ready: () => boolean;
  /** Forwards the bytes of a QoS 1 PUBLISH, with a new packet identifier at `idAt`. Requires `ready`. */
  readonly pass: (bytes: Buffer, start: number, end: number, idAt: number) => void;
  /**
   * Handles acknowledgements. Ignores unknown identifiers, because a late one after a reconnect is not an
   * error.
   */
  readonly puback: (packetId: number) => void;
  readonly pubrec: (packetId: number, reasonCode: number) => void;
  readonly pubcomp: (packetId: number) => void;
  /** Called when a QoS 2 message has left its queue durably: sends PUBREL. */
  readonly release: (packetId: number) => void;
  /** Called when the client can receive more. */
  readonly wake: () => void;
  readonly stop: () => void;
};

/** Connection of a client, as far as it receives retained messages. */
export type RetainedReceiver = Receiver & {
  /** Pauses packet handling and reading of the socket. Each call needs one call of `resume`. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Calls `resume` when the socket is writable again. */
  readonly whenDrained: (resume: () => void) => void;
  /** Closes only this connection after an exception in its work. */
  readonly fail: (thrown: unknown) => void;
};

/** New subscription and its identifier. */
export type NewSubscription = { readonly filter: string; readonly qos: QoS; readonly id: number | undefined };

/** Sender of retained messages to new subscriptions of one connection (MQTT 5, 3.3.1.3). */
export type RetainedSender = { readonly add: (subscriptions: readonly NewSubscription[]) => void };
