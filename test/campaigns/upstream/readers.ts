import mqtt from 'mqtt';
import type { Broker } from '../../harness/brokers/brokers.ts';
import { subscribeExactly } from '../exactly-once/clients.ts';
import { connectExactly } from '../exactly-once/connection.ts';

/** Milliseconds before a lost connection is tried again, and that one try may take. */
const RECONNECT = 100;
const CONNECT_TIMEOUT = 5_000;

/** Milliseconds that a broker has to put a new session on disk. */
const SETTLE = 500;

/** A persistent session at the upstream. */
export type Reader = {
  /** Bodies in the order in which they came. */
  readonly seen: readonly string[];
  /** Times that the broker had forgotten the session. */
  readonly forgotten: () => number;
  readonly close: () => Promise<void>;
};

/** Reads with a client that nobody here wrote, at whichever node answers. */
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
  // Brokers that end and come back are what is tried.
  client.on('error', () => {});
  await client.subscribeAsync(filter, { qos: 1 });
  known = true;
  await new Promise(done => setTimeout(done, SETTLE));
  return { seen, forgotten: () => forgotten, close: () => client.endAsync(true) };
}

/** Reads at QoS 2, each message once. */
export async function startExactReader({ ports }: Broker, clientId: string, filter: string): Promise<Reader> {
  const settings = { port: ports[0] ?? 0, clientId, protocolVersion: 4, clean: false } as const;
  const reader = await subscribeExactly(settings, filter);
  await new Promise(done => setTimeout(done, SETTLE));
  return { seen: reader.seen, forgotten: reader.forgotten, close: async () => reader.close() };
}

/**
 * Reader at a broker that loses its session state at a restart and marks redeliveries with DUP: counts a
 * message that is not marked or was never seen.
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

/** Makes a session that is away until it is read: its queue is the broker's. */
export async function leaveSession(broker: Broker, clientId: string, filter: string): Promise<void> {
  const reader = await startReader(broker, clientId, filter);
  await reader.close();
}
