import { MAX_CACHED_TOPIC_LENGTH } from '../../routes/limits.ts';
import { MAX_TOPIC_ALIASES } from '../limits.ts';

/** Topic aliases of outgoing messages (MQTT 5, 3.3.2.3.4). */
export type OutboundAliases = {
  /** Alias that the client knows for a topic. 0 if it knows none. */
  readonly aliasOf: (topic: string) => number;
  /** New alias for a topic. 0 if none is free or the topic is too long. The client knows it after `told`. */
  readonly next: (topic: string) => number;
  readonly told: (topic: string) => void;
};

/**
 * Creates the aliases. `most` is the client's Topic Alias Maximum. The first topics get aliases, permanently.
 */
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
