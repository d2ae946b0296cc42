import mqtt from 'mqtt';
import type { Packet } from 'mqtt-packet';
import { until } from '../../harness/binary.ts';
import type { ExactConnection, ExactSettings } from './connection.ts';
import { connectExactly } from './connection.ts';

/**
 * Maximum unacknowledged messages of one publisher. Three publishers do not fill the windows of the hub, so
 * the hub could send messages before they are durable if it were wrong.
 */
const WINDOW = 20;

export type Publisher = Omit<ExactConnection, 'send'> & {
  readonly name: string;
  /** Numbers of the messages that the hub has accepted with PUBREC. */
  readonly accepted: ReadonlySet<number>;
  /** Stops publishing. Resolves when all published messages have their PUBCOMP. */
  readonly stop: () => Promise<void>;
};

/** Received messages in order of delivery. */
export type Subscriber = Omit<ExactConnection, 'send'> & { readonly seen: readonly string[] };

/**
 * Publishes numbers at QoS 2 as fast as PUBCOMPs arrive. Each connection first sends incomplete messages
 * again, in order [MQTT-4.4.0-1]. With a clean session they are dropped instead. The lowest free identifier
 * is reused at once, which is the hardest case for the hub.
 */
export function startPublisher(settings: ExactSettings, faults: string[]): Publisher {
  const name = settings.clientId;
  /** Number and next packet of each incomplete message by packet identifier, in the order of publishing. */
  const open = new Map<number, { readonly number: number; readonly packet: Packet }>();
  const accepted = new Set<number>();
  let published = 0;
  let stopped = false;

  const publish = (): void => {
    const messageId = lowestFree(open);
    const number = ++published;
    const packet: Packet = {
      cmd: 'publish',
      topic: `count/${name}`,
      payload: `${name} ${number}`,
      qos: 2,
      dup: false,
      retain: false,
      messageId,
    };
    connection.send(packet);
    open.set(messageId, { number, packet: { ...packet, dup: true } });
  };

  const fill = (): void => {
    while (!stopped && open.size < WINDOW) publish();
  };

  const connection = connectExactly(
    settings,
    () => {
      if (settings.clean) open.clear();
      for (const { packet } of open.values()) connection.send(packet);
      fill();
    },
    packet => {
      const messageId = packet.messageId ?? 0;
      const flight = open.get(messageId);
      if (packet.cmd === 'pubrec') {
        if ((packet.reasonCode ?? 0) >= 0x80) faults.push(`${name} was refused: ${packet.reasonCode}`);
        if (flight === undefined) return;
        accepted.add(flight.number);
        const release: Packet = { cmd: 'pubrel', messageId };
        open.set(messageId, { number: flight.number, packet: release });
        connection.send(release);
      } else if (packet.cmd === 'pubcomp') {
        if (flight?.packet.cmd !== 'pubrel') faults.push(`${name} received an unexpected PUBCOMP`);
        open.delete(messageId);
        fill();
      }
    },
  );
  return {
    ...connection,
    name,
    accepted,
    stop: async () => {
      stopped = true;
      await until(`all of ${name} is complete`, () => open.size === 0, 60);
    },
  };
}

function lowestFree(used: ReadonlyMap<number, unknown>): number {
  let id = 1;
  while (used.has(id)) id++;
  return id;
}

/** Subscribes and delivers a message at the first PUBLISH of its identifier. Resolves at SUBACK. */
export function subscribeExactly(settings: ExactSettings, filter: string): Promise<Subscriber> {
  const seen: string[] = [];
  /** Identifiers between PUBLISH and PUBREL. They survive a lost connection. */
  const received = new Set<number>();
  let subscribed = false;
  return new Promise(done => {
    const connection = connectExactly(
      settings,
      () => {
        if (!subscribed)
          connection.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: filter, qos: 2 }] });
      },
      packet => {
        const messageId = packet.messageId ?? 0;
        if (packet.cmd === 'publish') {
          if (!received.has(messageId)) seen.push(packet.payload.toString());
          received.add(messageId);
          connection.send({ cmd: 'pubrec', messageId });
        } else if (packet.cmd === 'pubrel') {
          received.delete(messageId);
          connection.send({ cmd: 'pubcomp', messageId });
        } else if (packet.cmd === 'suback') {
          subscribed = true;
          done({ ...connection, seen });
        }
      },
    );
  });
}

/**
 * Subscribes with mqtt.js, which delivers a message at PUBREL, so the order of PUBRELs counts
 * [MQTT-4.6.0-4].
 */
export async function subscribeByRelease(
  { port, clientId }: ExactSettings,
  filter: string,
): Promise<Subscriber> {
  const seen: string[] = [];
  let forgotten = 0;
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
    clientId,
    protocolVersion: 5,
    clean: false,
    resubscribe: false,
    reconnectPeriod: 20,
    properties: { sessionExpiryInterval: 3600 },
  });
  client.on('message', (_, body) => seen.push(body.toString()));
  // Connections are refused while the hub starts.
  client.on('error', () => {});
  await client.subscribeAsync(filter, { qos: 2 });
  client.on('connect', ({ sessionPresent }) => {
    if (!sessionPresent) forgotten++;
  });
  return {
    seen,
    forgotten: () => forgotten,
    cut: () => client.stream.destroy(),
    close: () => void client.end(true),
  };
}
