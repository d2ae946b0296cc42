import type { Message, Properties } from '../../core/message.ts';
import { MAX_STRING_BYTES, messageProblem } from '../../core/text/characters.ts';
import type { Connack } from '../../mqtt/answers/connack.ts';
import { isTopicName } from '../../mqtt/topics.ts';
import type { PublishOptions } from '../../mqtt/write-publish.ts';
import { DEFAULT_PUBLISH_OPTIONS } from '../../mqtt/write-publish.ts';
import type { QueueEntry } from '../../queue/types.ts';
import type { Profile } from '../profile.ts';

export type DispatchSettings = {
  readonly terms: Pick<Connack, 'retainAvailable'>;
  readonly profile: Profile;
  readonly device: string;
  /** True if the topics upstream do not contain the device's name. */
  readonly keepsTopic: boolean;
  /** MQTT version of the link. */
  readonly version: 4 | 5;
};

/** Outgoing PUBLISH of an entry. */
export type OutgoingPublish = { readonly message: Message; readonly dispatch: PublishOptions };

/**
 * Builds the outgoing PUBLISH of an entry for a topic, QoS and packet identifier. Returns a text with the
 * reason if the entry can never be sent.
 */
export type OutgoingPublishes = (
  entry: QueueEntry,
  topic: string,
  qos: 1 | 2,
  packetId: number,
) => OutgoingPublish | string;

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Maximum Message Expiry Interval in seconds: 32 bits. */
const LONGEST_EXPIRY = 0xffff_ffff;

/** Creates the builder. It reuses one result object, which is valid until the next call. */
export function createOutgoingPublishes({
  terms,
  profile,
  device,
  keepsTopic,
  version,
}: DispatchSettings): OutgoingPublishes {
  const dispatch: Writable<PublishOptions> = { ...DEFAULT_PUBLISH_OPTIONS, topic: '', qos: 1 };
  let departure: Writable<OutgoingPublish> | undefined;
  /** Last valid topic. */
  let known = '';

  return ({ message, remaining, redelivered }, topic, qos, packetId) => {
    if (topic !== known) {
      if (!isTopicName(topic)) return 'its topic upstream is none';
      known = topic;
    }
    const properties = profile.properties(message, device, keepsTopic);
    if (properties === undefined) return 'it has come through too many hubs: it goes round';
    const problem = version === 5 ? problemOf(message, properties) : undefined;
    if (problem !== undefined) return `MQTT 5 has no packet for it: ${problem}`;
    const limited = profile.expiry === 'all' || message.ttl !== undefined;
    dispatch.topic = topic;
    dispatch.qos = qos;
    dispatch.packetId = packetId;
    dispatch.dup = redelivered;
    dispatch.retain = message.retain && profile.retain && terms.retainAvailable;
    dispatch.expiry = limited ? secondsOf(remaining ?? message.ttl) : undefined;
    departure ??= { message, dispatch };
    departure.message = properties === message.properties ? message : { ...message, properties };
    return departure;
  };
}

/**
 * Reason why an MQTT 5 PUBLISH cannot contain the message's properties. Undefined if it can. MQTT 3.1.1 has
 * no properties.
 */
function problemOf(
  { contentType, responseTopic, correlation }: Message,
  properties: Properties,
): string | undefined {
  if (correlation !== undefined && correlation.length > MAX_STRING_BYTES)
    return `its correlation data are longer than ${MAX_STRING_BYTES} bytes`;
  if (contentType === undefined && responseTopic === undefined && properties.length === 0) return undefined;
  if (properties.length % 2 !== 0) return 'a property has no value';
  if (responseTopic !== undefined && /[+#]/.test(responseTopic)) return 'its response topic has wildcards';
  return messageProblem({ topic: '', contentType, responseTopic, properties });
}

function secondsOf(left: number | undefined): number | undefined {
  return left === undefined ? undefined : Math.min(Math.max(1, Math.ceil(left / 1000)), LONGEST_EXPIRY);
}
