import type { Publish } from '../../mqtt/read-publish.ts';
import type { ProtocolError } from '../../mqtt/reasons.ts';
import { protocolError, REASON } from '../../mqtt/reasons.ts';
import { MAX_ALIASED_TOPIC_UNITS, MAX_TOPIC_ALIASES } from '../limits.ts';

/** Topic of each topic alias that the client has assigned on this connection (MQTT 5, 3.3.2.3.4). */
export type InboundAliases = Map<number, string>;

const TOO_LONG = `the topics of all topic aliases have more than ${MAX_ALIASED_TOPIC_UNITS} characters in total`;

/**
 * Returns the topic of a PUBLISH. If the packet has only a topic alias, returns the topic of the alias. If
 * the packet has a topic and an alias, stores the topic under the alias.
 */
export function topicOf(
  connection: { inboundAliases: InboundAliases | undefined },
  packet: Publish,
): string | ProtocolError {
  const { topic, properties } = packet;
  const alias = properties?.topicAlias;
  if (alias === undefined) return topic;
  if (alias > MAX_TOPIC_ALIASES) {
    return protocolError(
      REASON.topicAliasInvalid,
      `the client used topic alias ${alias}, but the maximum is ${MAX_TOPIC_ALIASES}`,
    );
  }
  connection.inboundAliases ??= new Map();
  const aliases = connection.inboundAliases;
  if (topic !== '') {
    if (topic === aliases.get(alias)) return topic;
    aliases.set(alias, topic);
    let units = 0;
    for (const aliased of aliases.values()) units += aliased.length;
    return units <= MAX_ALIASED_TOPIC_UNITS ? topic : protocolError(REASON.quotaExceeded, TOO_LONG);
  }
  return (
    aliases.get(alias) ??
    protocolError(REASON.protocolError, `the client used topic alias ${alias} without defining it`)
  );
}
