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
  /**
   * True if topics on the server are built without the device's name, for example by the template `{topic}`.
   */
  readonly keepsTopic: boolean;
  /** MQTT version of the link. */
  readonly version: 4 | 5;
};

/** Message of a queue entry, and the options of its PUBLISH packet. */
export type OutgoingPublish = { readonly message: Message; readonly dispatch: PublishOptions };

/**
 * Function that builds the outgoing PUBLISH of an entry for a topic, QoS and packet identifier. If the entry
 * can never be sent, the function returns the reason as a string.
 */
export type OutgoingPublishes = (
  entry: QueueEntry,
  topic: string,
  qos: 1 | 2,
  packetId: number,
) => OutgoingPublish | string;

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Maximum Message Expiry Interval in seconds (MQTT 5, 3.3.2.3.3: four bytes). */
const MAX_EXPIRY_SECONDS = 0xffff_ffff;

/**
 * Creates the function that builds a PUBLISH. The function reuses its result object, which is valid until the
 * next call.
 */
export function createOutgoingPublishes({
  terms,
  profile,
  device,
  keepsTopic,
  version,
}: DispatchSettings): OutgoingPublishes {
  const dispatch: Writable<PublishOptions> = { ...DEFAULT_PUBLISH_OPTIONS, topic: '', qos: 1 };
  let result: Writable<OutgoingPublish> | undefined;
  /**
   * Topic that was validated last. Cached because most messages have the same topic as the message before.
   */
  let validTopic = '';

  return ({ message, remaining, redelivered }, topic, qos, packetId) => {
    if (topic !== validTopic) {
      if (!isTopicName(topic)) return 'its topic on the upstream server is not a valid topic name';
      validTopic = topic;
    }
    const properties = profile.properties(message, device, keepsTopic);
    if (properties === undefined) return 'it has passed through too many hubs, probably in a loop';
    const problem = version === 5 ? problemOf(message, properties) : undefined;
    if (problem !== undefined) return `MQTT 5 cannot encode the message: ${problem}`;
    const hasExpiry = profile.expiry === 'all' || message.ttl !== undefined;
    dispatch.topic = topic;
    dispatch.qos = qos;
    dispatch.packetId = packetId;
    dispatch.dup = redelivered;
    dispatch.retain = message.retain && profile.retain && terms.retainAvailable;
    dispatch.expiry = hasExpiry ? secondsOf(remaining ?? message.ttl) : undefined;
    result ??= { message, dispatch };
    result.message = properties === message.properties ? message : { ...message, properties };
    return result;
  };
}

/**
 * Returns the reason why an MQTT 5 PUBLISH cannot contain the message's properties. Returns undefined if the
 * PUBLISH can contain all properties.
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

function secondsOf(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined
    ? undefined
    : Math.min(Math.max(1, Math.ceil(milliseconds / 1000)), MAX_EXPIRY_SECONDS);
}
