import { MAX_CACHED_TOPIC_LENGTH } from '../../routes/limits.ts';
import { MAX_TOPIC_ALIASES } from '../limits.ts';

/** Topic aliases that the broker assigns on one connection (MQTT 5, 3.3.2.3.4). */
export type OutboundAliases = {
  /** Returns the alias that has been sent to the client for a topic. 0 if no alias has been sent. */
  readonly aliasOf: (topic: string) => number;
  /** Returns an unused alias. 0 if all aliases are in use, or if the topic is too long. */
  readonly nextFree: (topic: string) => number;
  /**
   * Called after a packet with the topic and its new alias (the result of `nextFree`) has been sent. Stores
   * the alias.
   */
  readonly defined: (topic: string) => void;
};

/**
 * Creates the aliases of one connection. `topicAliasMaximum` is the client's Topic Alias Maximum. The first
 * topics that are sent receive aliases. An alias is never assigned to another topic.
 */
export function createOutboundAliases(topicAliasMaximum: number): OutboundAliases {
  const aliases = new Map<string, number>();
  const limit = Math.min(topicAliasMaximum, MAX_TOPIC_ALIASES);
  return {
    aliasOf: topic => aliases.get(topic) ?? 0,
    nextFree: topic =>
      aliases.size < limit && topic.length <= MAX_CACHED_TOPIC_LENGTH ? aliases.size + 1 : 0,
    defined: topic => {
      aliases.set(topic, aliases.size + 1);
    },
  };
}
