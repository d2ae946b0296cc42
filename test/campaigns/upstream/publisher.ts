import type { Packet } from 'mqtt-packet';
import { until } from '../../harness/binary.ts';
import { connectExactly } from '../exactly-once/connection.ts';
import { bodyOf } from './comparison.ts';

/** Milliseconds between two checks of the number of messages to publish. */
const BEAT = 10;

/** Milliseconds without a packet from the server after which the publisher sends PINGREQ. */
const QUIET = 1_500;

/** Milliseconds without a packet after which the connection is dead, as with KEEP_ALIVE of the hubs. */
const DEAD = 3_000;

/** Maximum milliseconds until CONNACK. */
const WELCOME = 20_000;

/** Maximum seconds until all messages are acknowledged after the last fault. */
const PATIENCE = 120;

export type PublisherSettings = {
  readonly port: number;
  readonly name: string;
  readonly qos: 1 | 2;
  readonly protocolVersion: 4 | 5;
  readonly count: number;
  readonly perSecond: number;
  /** Maximum unacknowledged messages. */
  readonly window: number;
};

export type Publisher = {
  readonly name: string;
  /** Number of messages that the hub has accepted. */
  readonly acknowledged: () => number;
  readonly faults: readonly string[];
  /** Publishes the remaining messages at once. Resolves when all messages are acknowledged. */
  readonly finish: () => Promise<void>;
  readonly close: () => void;
};

/**
 * Publishes numbers to `load/<name>` and reconnects after each lost connection. Unacknowledged messages are
 * sent again first, in order, with DUP [MQTT-4.4.0-1, MQTT-4.6.0-1].
 */
export function startPublisher({
  port,
  name,
  qos,
  protocolVersion,
  count,
  perSecond,
  window,
}: PublisherSettings): Publisher {
  /** Next packet of each unfinished message by packet identifier, in the order of publishing. */
  const open = new Map<number, Packet>();
  const faults: string[] = [];
  const began = performance.now();
  let published = 0;
  let acknowledged = 0;
  let hurried = false;
  let heard = began;
  let pinged = began;
  let patience = WELCOME;

  const publish = (): void => {
    const messageId = lowestFree(open);
    const packet: Packet = {
      cmd: 'publish',
      topic: `load/${name}`,
      payload: bodyOf(name, ++published),
      qos,
      dup: false,
      retain: false,
      messageId,
    };
    connection.send(packet);
    open.set(messageId, { ...packet, dup: true });
  };
  const fill = (): void => {
    const due = hurried ? count : Math.min(count, ((performance.now() - began) / 1000) * perSecond);
    while (published < due && open.size < window) publish();
  };
  const look = (): void => {
    const now = performance.now();
    if (now - heard > patience) {
      heard = now;
      patience = WELCOME;
      connection.cut();
    } else if (now - Math.max(heard, pinged) > QUIET) {
      pinged = now;
      connection.send({ cmd: 'pingreq' });
    }
    fill();
  };
  const answered = (packet: Packet): void => {
    heard = performance.now();
    const messageId = packet.messageId ?? 0;
    const sent = open.get(messageId);
    if (sent === undefined) return;
    // A PUBCOMP may have "packet identifier not found" if the previous connection lost the first PUBCOMP.
    if (packet.cmd !== 'pubcomp' && 'reasonCode' in packet && (packet.reasonCode ?? 0) >= 0x80)
      faults.push(`${name} was refused with ${packet.reasonCode}`);
    if (packet.cmd === 'pubrec') {
      if (sent.cmd === 'publish') acknowledged++;
      const release: Packet = { cmd: 'pubrel', messageId };
      open.set(messageId, release);
      connection.send(release);
    } else if (packet.cmd === 'puback' || packet.cmd === 'pubcomp') {
      if (packet.cmd === 'puback') acknowledged++;
      open.delete(messageId);
      fill();
    }
  };
  const connection = connectExactly(
    { port, clientId: name, protocolVersion, clean: false },
    () => {
      heard = performance.now();
      patience = DEAD;
      for (const packet of open.values()) connection.send(packet);
    },
    answered,
  );
  const beat = setInterval(look, BEAT);
  return {
    name,
    acknowledged: () => acknowledged,
    faults,
    finish: async () => {
      hurried = true;
      await until(`all of ${name} is acknowledged`, () => published === count && open.size === 0, PATIENCE);
      if (connection.forgotten() > 0) faults.push(`the hub lost the session of ${name}`);
    },
    close: () => {
      clearInterval(beat);
      connection.close();
    },
  };
}

function lowestFree(used: ReadonlyMap<number, unknown>): number {
  let id = 1;
  while (used.has(id)) id++;
  return id;
}
