import type { IConnectPacket, Packet } from 'mqtt-packet';
import { generate } from 'mqtt-packet';
import type { SeededRandom } from '../../harness/seeded-random.ts';

/** Protocol level. 3 is MQTT 3.1. */
export type Version = 3 | 4 | 5;

/** Client identifiers: few, so that connections take over sessions and few persistent sessions exist. */
const CLIENTS = ['ash', 'beech', 'cedar', 'elm', 'fir', 'larch', 'oak', 'pine'] as const;
const LEVELS = ['a', 'b', 'c', 'kitchen', '', 'ä', 'temperature'] as const;
const LAST_LEVELS = [...LEVELS, '+', '#'] as const;
const QOS = [0, 1, 2] as const;

/** Number of packet identifiers of valid packets: few, so that flows collide. */
const IDENTIFIERS = 40;

/**
 * Packet types after CONNECT by their frequency. Packets of LAST_KINDS close the connection.
 */
const KINDS = [
  'publish',
  'publish',
  'publish',
  'subscribe',
  'unsubscribe',
  'puback',
  'pubrec',
  'pubrel',
  'pubcomp',
  'pingreq',
] as const;
const LAST_KINDS = ['connect', 'auth', 'disconnect'] as const;
const LAST_ONE_IN = 60;
type Kind = (typeof KINDS | typeof LAST_KINDS)[number];

function topic(dice: SeededRandom): string {
  return Array.from({ length: 1 + dice.below(4) }, () => dice.pick(LEVELS)).join('/') || 'a';
}

function filter(dice: SeededRandom): string {
  const levels = Array.from({ length: 1 + dice.below(2) }, () => (dice.oneIn(5) ? '+' : dice.pick(LEVELS)));
  const plain = dice.oneIn(40) ? '#' : [...levels, dice.pick(LAST_LEVELS)].join('/');
  return dice.oneIn(8) ? `$share/grove/${plain}` : plain;
}

function payload(dice: SeededRandom): Buffer {
  return Buffer.alloc(dice.oneIn(50) ? dice.below(20_000) : dice.below(40), 'word ');
}

/** Returns a valid CONNECT. With MQTT 5 a persistent session expires soon. */
export function connectPacket(dice: SeededRandom, version: Version, persistent: boolean): Buffer {
  const client = dice.pick(CLIENTS);
  const will = { topic: topic(dice), payload: payload(dice), qos: dice.pick(QOS), retain: dice.oneIn(4) };
  const packet: IConnectPacket = {
    cmd: 'connect',
    protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
    protocolVersion: version,
    clientId: persistent ? `${client}-${version}` : version > 3 && dice.oneIn(4) ? '' : client,
    clean: !persistent || dice.oneIn(20),
    keepalive: dice.pick([0, 0, 60]),
    ...(dice.oneIn(3) ? { will: version === 5 ? { ...will, properties: willProperties(dice) } : will } : {}),
    ...(version === 5 ? { properties: connectProperties(dice, persistent) } : {}),
  };
  return generate(packet, { protocolVersion: version });
}

function willProperties(dice: SeededRandom) {
  return { willDelayInterval: dice.below(2), contentType: 'text', messageExpiryInterval: 1 + dice.below(60) };
}

function connectProperties(
  dice: SeededRandom,
  persistent: boolean,
): NonNullable<IConnectPacket['properties']> {
  return {
    sessionExpiryInterval: persistent ? 1 + dice.below(5) : 0,
    ...(dice.oneIn(3) ? { receiveMaximum: 1 + dice.below(20) } : {}),
    ...(dice.oneIn(3) ? { topicAliasMaximum: dice.below(5) } : {}),
    ...(dice.oneIn(6) ? { maximumPacketSize: 20 + dice.below(500) } : {}),
    ...(dice.oneIn(6) ? { userProperties: { name: ['one', 'two'] } } : {}),
  };
}

/** Returns a well-formed packet, which may be invalid in the state of the connection. */
export function honestPacket(dice: SeededRandom, version: Version): Buffer {
  const kind = dice.oneIn(LAST_ONE_IN) ? dice.pick(LAST_KINDS) : dice.pick(KINDS);
  if (kind === 'connect') return connectPacket(dice, version, false);
  // AUTH exists only in MQTT 5, and is sent on connections of all versions.
  return generate(packetOf(kind, dice, version), { protocolVersion: kind === 'auth' ? 5 : version });
}

function packetOf(kind: Exclude<Kind, 'connect'>, dice: SeededRandom, version: Version): Packet {
  const messageId = 1 + dice.below(IDENTIFIERS);
  const five = version === 5;
  switch (kind) {
    case 'publish':
      return publishPacket(dice, version, dice.pick(QOS), messageId);
    case 'subscribe':
      return subscribePacket(dice, version, messageId);
    case 'unsubscribe':
      return { cmd: 'unsubscribe', messageId, unsubscriptions: [filter(dice)] };
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return { cmd: kind, messageId, ...(five && dice.oneIn(4) ? { reasonCode: 0 } : {}) };
    case 'auth':
      return { cmd: 'auth', reasonCode: 0x18, properties: { authenticationMethod: 'none' } };
    case 'disconnect':
      return { cmd: 'disconnect', ...(five ? { reasonCode: dice.pick([0, 4]) } : {}) };
    case 'pingreq':
      return { cmd: 'pingreq' };
  }
}

export function publishPacket(
  dice: SeededRandom,
  version: Version,
  qos: 0 | 1 | 2,
  messageId: number,
): Packet {
  return {
    cmd: 'publish',
    topic: topic(dice),
    payload: dice.oneIn(20) ? Buffer.alloc(0) : payload(dice),
    qos,
    dup: qos > 0 && dice.oneIn(8),
    retain: dice.oneIn(16),
    ...(qos > 0 ? { messageId } : {}),
    ...(version === 5 && dice.oneIn(3) ? { properties: publishProperties(dice) } : {}),
  };
}

function publishProperties(dice: SeededRandom) {
  return {
    payloadFormatIndicator: dice.oneIn(2),
    messageExpiryInterval: dice.below(30),
    ...(dice.oneIn(3) ? { topicAlias: 1 + dice.below(6) } : {}),
    responseTopic: 'answers/here',
    correlationData: Buffer.from('which'),
    contentType: 'text/plain',
    userProperties: { place: 'roof', again: ['and', 'again'] },
  };
}

export function subscribePacket(dice: SeededRandom, version: Version, messageId: number): Packet {
  const subscriptions = Array.from({ length: 1 + dice.below(3) }, () => ({
    topic: filter(dice),
    qos: dice.pick(QOS),
    ...(version === 5 ? { nl: dice.oneIn(8), rap: dice.oneIn(2), rh: dice.below(3) } : {}),
  }));
  const properties = { subscriptionIdentifier: 1 + dice.below(300) };
  return {
    cmd: 'subscribe',
    messageId,
    subscriptions,
    ...(version === 5 && dice.oneIn(3) ? { properties } : {}),
  };
}
