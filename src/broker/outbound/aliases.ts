import { MAX_TOPIC_ALIASES } from '../../core/limits.ts';

/** Topics that go out as a number once the client knows them (MQTT 5, 3.3.2.3.4). */
export type OutboundAliases = {
  /** The number for a topic; negative: the client does not know it yet, and is told now; 0: none is free. */
  readonly aliasFor: (topic: string) => number;
};

/** `most` is the client's Topic Alias Maximum. The first topics get the numbers, for good. */
export function createOutboundAliases(most: number): OutboundAliases {
  const aliases = new Map<string, number>();
  const limit = Math.min(most, MAX_TOPIC_ALIASES);
  return {
    aliasFor: topic => {
      const known = aliases.get(topic);
      if (known !== undefined) return known;
      if (aliases.size >= limit) return 0;
      aliases.set(topic, aliases.size + 1);
      return -aliases.size;
    },
  };
}
