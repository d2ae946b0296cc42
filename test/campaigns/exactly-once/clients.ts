import mqtt from 'mqtt';
import type { Packet } from 'mqtt-packet';
import { until } from '../../harness/binary.ts';
import type { ExactConnection, ExactSettings } from './connection.ts';
import { connectExactly } from './connection.ts';

/**
 * Messages of one publisher on their way at once. With those of three the hub's windows are not full, so that
 * nothing but the rules keeps it from sending messages before they are on disk.
 */
const WINDOW = 20;

export type Publisher = Omit<ExactConnection, 'send'> & {
  readonly name: string;
  /** Numbers of the messages that the hub has taken over with PUBREC. */
  readonly owed: ReadonlySet<number>;
  /** Publishes nothing more, and resolves when all that was has its PUBCOMP. */
  readonly stop: () => Promise<void>;
};

/** Received messages in order of delivery. */
export type Subscriber = Omit<ExactConnection, 'send'> & { readonly seen: readonly string[] };

/**
 * Publishes numbers at QoS 2 as fast as PUBCOMPs come. What is not complete is sent again on each connection,
 * in its order [MQTT-4.4.0-1], and the lowest free identifier is used again at once: that asks most of the
 * hub. With a clean session it is given up instead.
 */
export function startPublisher(settings: ExactSettings, faults: string[]): Publisher {
  const name = settings.clientId;
  /**
   * By packet identifier, in the order of publishing: the message's number, and what is to be sent next for
   * it.
   */
  const open = new Map<number, { readonly number: number; readonly packet: Packet }>();
  const owed = new Set<number>();
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
        owed.add(flight.number);
        const release: Packet = { cmd: 'pubrel', messageId };
        open.set(messageId, { number: flight.number, packet: release });
        connection.send(release);
      } else if (packet.cmd === 'pubcomp') {
        if (flight?.packet.cmd !== 'pubrel') faults.push(`${name} got a PUBCOMP that it had not asked for`);
        open.delete(messageId);
        fill();
      }
    },
  );
  return {
    ...connection,
    name,
    owed,
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

/** Passes a message on with the first PUBLISH of its identifier; resolves when it has subscribed. */
export function subscribeExactly(settings: ExactSettings, filter: string): Promise<Subscriber> {
  const seen: string[] = [];
  /** Identifiers that came with PUBLISH and not yet with PUBREL: they outlive a connection. */
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

/** Passes a message on with its PUBREL, as mqtt.js does: the order of those counts, too [MQTT-4.6.0-4]. */
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
  // A connection that is refused while the hub starts is one of those that follow each other.
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
