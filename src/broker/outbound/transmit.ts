import type { Message, QoS } from '../../core/message.ts';
import type { Version } from '../../mqtt/version.ts';
import type { PublishOptions } from '../../mqtt/write-publish.ts';
import { encodePublish, publishSize, writePublish } from '../../mqtt/write-publish.ts';
import type { DeliveryOptions } from '../sessions/subscriptions.ts';
import type { BrokerCounts } from '../types.ts';
import type { OutboundAliases } from './aliases.ts';
import type { Receiver } from './types.ts';

/** Options of a PUBLISH to a client. */
export type SendOptions = {
  readonly topic: string;
  readonly qos: QoS;
  readonly packetId: number;
  readonly dup: boolean;
  readonly options: DeliveryOptions;
  /** Remaining lifetime of the message in milliseconds. Undefined if the message does not expire. */
  readonly remaining: number | undefined;
};

/**
 * Result of a send. `full`: the output buffer of the connection is full, and the message was not sent.
 * `tooLarge`: the packet exceeds the client's Maximum Packet Size and was dropped [MQTT-3.1.2-25].
 */
export type SendOutcome = 'sent' | 'full' | 'tooLarge';

/** Sends a message to a client, unless the output buffer of its connection is full. */
export function transmit(
  counts: BrokerCounts,
  receiver: Receiver,
  message: Message,
  sendOptions: SendOptions,
): SendOutcome {
  if (!canSend(receiver)) return 'full';
  const { output, version, maximumPacketSize, aliases } = receiver;
  const publishOptions = publishOptionsOf(aliases, message, sendOptions);
  const size = publishSize(message, publishOptions, version);
  if (size > maximumPacketSize) {
    counts.dropped++;
    return 'tooLarge';
  }
  counts.sent++;
  if (publishOptions.alias > 0 && publishOptions.topic !== '') aliases?.defined(publishOptions.topic);
  const at = output.place(size);
  try {
    writePublish(output.slab(), at, message, publishOptions, version);
  } catch (thrown) {
    // Releases the reserved space. Otherwise the uninitialized memory would be sent to the client.
    output.undo(size);
    throw thrown;
  }
  return 'sent';
}

/** True if the connection is open and its output buffer has space. */
export function canSend({ output, closed }: Pick<Receiver, 'output' | 'closed'>): boolean {
  return !closed && !output.isFull();
}

/** Combines the options of a message with the topic alias and the RETAIN flag for the client. */
function publishOptionsOf(
  aliases: OutboundAliases | undefined,
  message: Message,
  { topic, qos, packetId, dup, options, remaining }: SendOptions,
): PublishOptions {
  // No alias at QoS 2, because the client library mqtt.js loses the topic of such a message before PUBREL.
  const usable = qos === 2 ? undefined : aliases;
  const known = usable?.aliasOf(topic) ?? 0;
  return {
    topic: known > 0 ? '' : topic,
    qos,
    packetId,
    dup,
    retain: retainFlag(message, options),
    expiry: message.ttl === undefined ? undefined : secondsOf(remaining ?? message.ttl),
    subscriptionIds: options.ids,
    alias: known > 0 ? known : (usable?.nextFree(topic) ?? 0),
  };
}

/** Returns the RETAIN flag of a PUBLISH to a client [MQTT-3.3.1-8], [MQTT-3.3.1-12], [MQTT-3.3.1-13]. */
function retainFlag({ retain, retained }: Message, { retainAsPublished }: DeliveryOptions): boolean {
  return retained || (retain && retainAsPublished);
}

/** Returns the Message Expiry Interval in seconds. The minimum is 1. */
function secondsOf(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000));
}

/** Encoded QoS 0 packets of one message. Receivers with the same options share a packet. */
export type SharedPackets = {
  readonly packetFor: (version: Version, options: DeliveryOptions) => Buffer | undefined;
};

/**
 * Returns the shared packets of a message. Each packet is encoded when it is needed for the first time.
 * `packetFor` returns undefined if the receiver needs a packet of its own.
 */
export function createSharedPackets(message: Message): SharedPackets {
  const encoded: (Buffer | undefined)[] = [];
  return {
    packetFor: (version, options) => {
      if (options.ids.length > 0) return undefined;
      const retain = retainFlag(message, options);
      const variant = (version === 5 ? 2 : 0) + (retain ? 1 : 0);
      encoded[variant] ??= encodePublish(
        message,
        {
          topic: message.topic,
          qos: 0,
          packetId: 0,
          dup: false,
          retain,
          expiry: message.ttl === undefined ? undefined : secondsOf(message.ttl),
          subscriptionIds: options.ids,
          alias: 0,
        },
        version,
      );
      return encoded[variant];
    },
  };
}

/**
 * Sends encoded packets. `messages` is the number of messages in `bytes`. Returns false if the output buffer
 * of the connection is full.
 */
export function transmitBytes(
  counts: BrokerCounts,
  receiver: Receiver,
  bytes: Buffer,
  messages: number,
): boolean {
  if (!canSend(receiver)) return false;
  counts.sent += messages;
  receiver.output.write(bytes);
  return true;
}

export function lowerQos(one: QoS, other: QoS): QoS {
  return one < other ? one : other;
}
