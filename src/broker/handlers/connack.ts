import type { ConnackProperties } from '../../mqtt/packets.ts';
import type { Connect } from '../../mqtt/requests/connect.ts';
import { MAX_PENDING_PUBLISHES, MAX_TOPIC_ALIASES } from '../limits.ts';
import type { BrokerLimits } from '../types.ts';

/** Returns the properties of CONNACK (MQTT 5, 3.2.2.3). Empty for clients of MQTT 3.1 and 3.1.1. */
export function connackProperties(
  packet: Connect,
  clientId: string,
  limits: BrokerLimits,
): ConnackProperties {
  if (packet.version < 5) return {};
  const keepAlive = keepAliveOf(packet, limits);
  return {
    receiveMaximum: MAX_PENDING_PUBLISHES,
    maximumPacketSize: limits.packetSize,
    ...(limits.retained ? {} : { retainAvailable: false }),
    ...(keepAlive === packet.keepAlive ? {} : { serverKeepAlive: keepAlive }),
    topicAliasMaximum: MAX_TOPIC_ALIASES,
    ...(packet.clientId === '' ? { assignedClientIdentifier: clientId } : {}),
    ...(packet.requestResponseInformation ? { responseInformation: `responses/${clientId}` } : {}),
  };
}

/** Returns the keep-alive of the connection in seconds. 0 means no keep-alive. */
export function keepAliveOf({ keepAlive }: Connect, { keepAlive: maxMs }: BrokerLimits): number {
  if (maxMs === undefined) return keepAlive;
  const max = Math.floor(maxMs / 1000);
  return keepAlive === 0 || keepAlive > max ? max : keepAlive;
}
