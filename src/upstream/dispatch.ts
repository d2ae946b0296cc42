import type { Message } from '../core/message.ts';
import type { Connack } from '../mqtt/answers/connack.ts';
import type { Dispatch } from '../mqtt/dispatch.ts';
import { PLAIN_DISPATCH } from '../mqtt/dispatch.ts';
import { isTopicName } from '../mqtt/topics.ts';
import type { Entry } from '../queue/types.ts';
import type { Profile } from './profile.ts';

export type DispatchSettings = {
  readonly terms: Pick<Connack, 'retainAvailable'>;
  readonly profile: Profile;
  readonly device: string;
  readonly topic: string;
  readonly qos: 1 | 2;
  readonly packetId: number;
};

/** Seconds that MQTT can say: 32 bits. */
const LONGEST_EXPIRY = 0xffff_ffff;

/** How an entry goes up, and what it is then; undefined: its topic cannot be published on. */
export function dispatchOf(
  { message, remaining, redelivered }: Entry,
  { terms, profile, device, topic, qos, packetId }: DispatchSettings,
): (Dispatch & { readonly message: Message }) | undefined {
  if (!isTopicName(topic)) return undefined;
  const limited = profile.expiry === 'all' || message.ttl !== undefined;
  const left = limited ? (remaining ?? message.ttl) : undefined;
  const added = profile.adds(message, device);
  return {
    ...PLAIN_DISPATCH,
    message: added.length === 0 ? message : { ...message, properties: [...message.properties, ...added] },
    topic,
    qos,
    packetId,
    dup: redelivered,
    retain: message.retain && profile.retain && terms.retainAvailable,
    expiry: left === undefined ? undefined : Math.min(Math.max(1, Math.ceil(left / 1000)), LONGEST_EXPIRY),
  };
}
