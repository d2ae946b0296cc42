import { MAX_CACHED_TOPIC_LENGTH } from '../../routes/limits.ts';
import { MAX_TOPIC_ALIASES } from '../limits.ts';

/** Topics that go out as a number once the client knows them (MQTT 5, 3.3.2.3.4). */
export type OutboundAliases = {
  /** The number that the client knows for a topic; 0: it knows none. */
  readonly aliasOf: (topic: string) => number;
  /** A number that it may be told for a topic; 0: none is free, or the topic is too long. It knows it once `told`. */
  readonly next: (topic: string) => number;
  readonly told: (topic: string) => void;
};

/** `most` is the client's Topic Alias Maximum. The first topics get the numbers, for good. */
export function createOutboundAliases(most: number): OutboundAliases {
  const aliases = new Map<string, number>();
  const limit = Math.min(most, MAX_TOPIC_ALIASES);
  return {
    aliasOf: topic => aliases.get(topic) ?? 0,
    next: topic => (aliases.size < limit && topic.length <= MAX_CACHED_TOPIC_LENGTH ? aliases.size + 1 : 0),
    told: topic => {
      aliases.set(topic, aliases.size + 1);
    },
  };
}
