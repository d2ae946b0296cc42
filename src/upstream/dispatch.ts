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

/** An entry as it goes up. */
export type Departure = { readonly message: Message; readonly dispatch: Dispatch };

/** Seconds that MQTT can say: 32 bits. */
const LONGEST_EXPIRY = 0xffff_ffff;

/** How an entry goes up; a text: why it never does. */
export function departureOf(
  { message, remaining, redelivered }: Entry,
  { terms, profile, device, topic, qos, packetId }: DispatchSettings,
): Departure | string {
  if (!isTopicName(topic)) return 'its topic upstream is none';
  const properties = profile.properties(message, device);
  if (properties === undefined) return 'it has come through too many hubs: it goes round';
  const limited = profile.expiry === 'all' || message.ttl !== undefined;
  const left = limited ? (remaining ?? message.ttl) : undefined;
  const dispatch = {
    ...PLAIN_DISPATCH,
    topic,
    qos,
    packetId,
    dup: redelivered,
    retain: message.retain && profile.retain && terms.retainAvailable,
    expiry: left === undefined ? undefined : Math.min(Math.max(1, Math.ceil(left / 1000)), LONGEST_EXPIRY),
  };
  return { message: properties === message.properties ? message : { ...message, properties }, dispatch };
}
