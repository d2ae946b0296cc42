import mqtt from 'mqtt';
import type { Broker } from '../../harness/brokers/brokers.ts';
import { subscribeExactly } from '../exactly-once/clients.ts';
import { connectExactly } from '../exactly-once/connection.ts';

/** Milliseconds until a lost connection is opened again. */
const RECONNECT = 100;

/** Maximum milliseconds of one connection attempt. */
const CONNECT_TIMEOUT = 5_000;

/** Milliseconds until a broker has saved a new session. */
const SETTLE = 500;

/** A persistent session at the upstream. */
export type Reader = {
  /** Received bodies in order. */
  readonly seen: readonly string[];
  /** Number of times that the broker had lost the session. */
  readonly forgotten: () => number;
  readonly close: () => Promise<void>;
};

/** Subscribes with mqtt.js at any node of the broker. */
export async function startReader({ ports }: Broker, clientId: string, filter: string): Promise<Reader> {
  const seen: string[] = [];
  let known = false;
  let forgotten = 0;
  const client = mqtt.connect({
    servers: ports.map(port => ({ host: '127.0.0.1', port, protocol: 'mqtt' as const })),
    clientId,
    clean: false,
    reconnectPeriod: RECONNECT,
    connectTimeout: CONNECT_TIMEOUT,
    keepalive: 10,
  });
  client.on('message', (_, body) => seen.push(body.toString()));
  client.on('connect', ({ sessionPresent }) => {
    if (known && !sessionPresent) forgotten++;
  });
  // Errors are expected, because the campaign stops brokers.
  client.on('error', () => {});
  await client.subscribeAsync(filter, { qos: 1 });
  known = true;
  await new Promise(done => setTimeout(done, SETTLE));
  return { seen, forgotten: () => forgotten, close: () => client.endAsync(true) };
}

/** Subscribes at QoS 2 and records each message once. */
export async function startExactReader({ ports }: Broker, clientId: string, filter: string): Promise<Reader> {
  const settings = { port: ports[0] ?? 0, clientId, protocolVersion: 4, clean: false } as const;
  const reader = await subscribeExactly(settings, filter);
  await new Promise(done => setTimeout(done, SETTLE));
  return { seen: reader.seen, forgotten: reader.forgotten, close: async () => reader.close() };
}

/**
 * Subscribes at a broker that loses received packet identifiers at a restart but marks redeliveries with DUP.
 * Records a message if it is not marked or was never received.
 */
export function startForgivingReader({ ports }: Broker, clientId: string, filter: string): Promise<Reader> {
  const seen: string[] = [];
  const known = new Set<string>();
  let subscribed = false;
  return new Promise(done => {
    const connection = connectExactly(
      { port: ports[0] ?? 0, clientId, protocolVersion: 4, clean: false },
      () => {
        if (!subscribed)
          connection.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: filter, qos: 2 }] });
      },
      packet => {
        const messageId = packet.messageId ?? 0;
        if (packet.cmd === 'publish') {
          const body = packet.payload.toString();
          if (!packet.dup || !known.has(body)) seen.push(body);
          known.add(body);
          connection.send({ cmd: 'pubrec', messageId });
        } else if (packet.cmd === 'pubrel') {
          connection.send({ cmd: 'pubcomp', messageId });
        } else if (packet.cmd === 'suback') {
          subscribed = true;
          setTimeout(done, SETTLE, {
            seen,
            forgotten: connection.forgotten,
            close: async () => connection.close(),
          });
        }
      },
    );
  });
}

/** Creates an offline session, whose queue the broker stores. */
export async function leaveSession(broker: Broker, clientId: string, filter: string): Promise<void> {
  const reader = await startReader(broker, clientId, filter);
  await reader.close();
}
