import type { Message, QoS } from '../../core/message.ts';
import type { Version } from '../../mqtt/version.ts';
import type { PublishOptions } from '../../mqtt/write-publish.ts';
import { encodePublish, publishSize, writePublish } from '../../mqtt/write-publish.ts';
import type { Allowance } from '../sessions/subscriptions.ts';
import type { BrokerCounts } from '../types.ts';
import type { OutboundAliases } from './aliases.ts';
import type { Receiver } from './types.ts';

/** Options of an outgoing PUBLISH that do not depend on the connection. */
export type Sending = {
  readonly topic: string;
  readonly qos: QoS;
  readonly packetId: number;
  readonly dup: boolean;
  readonly allowance: Allowance;
  /** Remaining lifetime in milliseconds. Undefined if the message does not expire. */
  readonly remaining: number | undefined;
};

/**
 * Result of a send. `full`: the socket's output buffer is full. `tooLarge`: the packet exceeds the client's
 * Maximum Packet Size and is dropped [MQTT-3.1.2-25].
 */
export type SendOutcome = 'sent' | 'full' | 'tooLarge';

/** Sends a message to a client unless its output buffer is full. */
export function transmit(
  counts: BrokerCounts,
  receiver: Receiver,
  message: Message,
  sending: Sending,
): SendOutcome {
  if (!keepsUp(receiver)) return 'full';
  const { output, version, maximumPacketSize, aliases } = receiver;
  const dispatch = dispatchOf(aliases, message, sending);
  const size = publishSize(message, dispatch, version);
  if (size > maximumPacketSize) {
    counts.dropped++;
    return 'tooLarge';
  }
  counts.sent++;
  if (dispatch.alias > 0 && dispatch.topic !== '') aliases?.told(dispatch.topic);
  const at = output.place(size);
  try {
    writePublish(output.slab(), at, message, dispatch, version);
  } catch (thrown) {
    // Otherwise uninitialized memory would reach the client.
    output.undo(size);
    throw thrown;
  }
  return 'sent';
}

/** True if the socket's output buffer has space. */
export function keepsUp({ output, closed }: Pick<Receiver, 'output' | 'closed'>): boolean {
  return !closed && !output.isFull();
}

function dispatchOf(
  aliases: OutboundAliases | undefined,
  message: Message,
  { topic, qos, packetId, dup, allowance, remaining }: Sending,
): PublishOptions {
  // Not at QoS 2: mqtt.js loses the topic of an aliased message before its PUBREL.
  const usable = qos === 2 ? undefined : aliases;
  const known = usable?.aliasOf(topic) ?? 0;
  return {
    topic: known > 0 ? '' : topic,
    qos,
    packetId,
    dup,
    retain: retainFlag(message, allowance),
    expiry: message.ttl === undefined ? undefined : secondsOf(remaining ?? message.ttl),
    subscriptionIds: allowance.ids,
    alias: known > 0 ? known : (usable?.next(topic) ?? 0),
  };
}

/** [MQTT-3.3.1-8], [MQTT-3.3.1-12] and [MQTT-3.3.1-13]. */
function retainFlag({ retain, retained }: Message, { retainAsPublished }: Allowance): boolean {
  return retained || (retain && retainAsPublished);
}

function secondsOf(milliseconds: number): number {
  return Math.max(1, Math.ceil(milliseconds / 1000));
}

/** Encoded QoS 0 packets of a message, shared by receivers with the same options. */
export type Rendering = { readonly bytesFor: (version: Version, allowance: Allowance) => Buffer | undefined };

/** Creates the encodings. `bytesFor` returns undefined if a receiver needs its own packet. */
export function createRendering(message: Message): Rendering {
  const made: (Buffer | undefined)[] = [];
  return {
    bytesFor: (version, allowance) => {
      if (allowance.ids.length > 0) return undefined;
      const retain = retainFlag(message, allowance);
      const shape = (version === 5 ? 2 : 0) + (retain ? 1 : 0);
      made[shape] ??= encodePublish(
        message,
        {
          topic: message.topic,
          qos: 0,
          packetId: 0,
          dup: false,
          retain,
          expiry: message.ttl === undefined ? undefined : secondsOf(message.ttl),
          subscriptionIds: allowance.ids,
          alias: 0,
        },
        version,
      );
      return made[shape];
    },
  };
}

/** Sends encoded bytes. Returns false if the socket's output buffer is full. */
export function transmitBytes(
  counts: BrokerCounts,
  receiver: Receiver,
  bytes: Buffer,
  messages: number,
): boolean {
  if (!keepsUp(receiver)) return false;
  counts.sent += messages;
  receiver.output.write(bytes);
  return true;
}

export function lesser(one: QoS, other: QoS): QoS {
  return one < other ? one : other;
}
