import type { IPublishPacket, Packet } from 'mqtt-packet';
import type { Client } from '../broker.ts';
import { brief } from '../broker.ts';

export type Properties = NonNullable<IPublishPacket['properties']>;

/** Returns a PUBLISH, at QoS 1 and 2 with packet identifier 1. */
export function publishOf(
  topic: string,
  payload: string,
  qos: 0 | 1 | 2,
  properties: Properties = {},
  retain = false,
): Packet {
  return { cmd: 'publish', topic, payload, qos, dup: false, retain, messageId: 1, properties };
}

/** Resolves to the next packet. Throws if it is not a PUBLISH. */
export async function published(client: Client): Promise<IPublishPacket> {
  const packet = await client.next();
  if (packet === 'closed' || packet.cmd !== 'publish') throw new Error(`no PUBLISH but ${brief(packet)}`);
  return packet;
}
