import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IConnectPacket, Packet } from 'mqtt-packet';
import { generate, parser } from 'mqtt-packet';
import type { Clock } from '../../src/core/clock.ts';
import { logLine } from '../../src/core/logging/line.ts';
import type { MachineTime } from '../../src/hub/downtime.ts';
import type { Hub } from '../../src/hub/hub.ts';
import { startHub } from '../../src/hub/hub.ts';
import type { Version } from '../../src/mqtt/version.ts';

const realClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => 0,
  after: (milliseconds, action) => {
    const timer = setTimeout(action, milliseconds).unref();
    return () => clearTimeout(timer);
  },
};

/** A hub in this process, with a real store, on a port that the system chose. */
export type BrokerHarness = {
  readonly folder: string;
  readonly log: string[];
  readonly hub: () => Hub;
  readonly port: () => number;
  /** Stops the hub and starts another on the same data folder. Its port differs. */
  readonly restart: (meanwhile?: () => void) => Promise<void>;
  /** Opens a connection for MQTT 3.1.1 or another version. */
  readonly client: (version?: Version) => Promise<Client>;
};

export type BrokerHarnessOptions = {
  readonly manifest?: object;
  readonly clock?: Clock;
  readonly machineTime?: () => MachineTime;
};

/** Runs `scenario` with a new hub, and stops the hub afterwards. */
export async function withBroker(
  scenario: (broker: BrokerHarness) => Promise<void>,
  { manifest = {}, clock = realClock, machineTime }: BrokerHarnessOptions = {},
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-broker-'));
  const log: string[] = [];
  const clients: Client[] = [];
  const text = JSON.stringify({ name: 'test', listeners: [{ mqtt: '127.0.0.1:0' }], ...manifest });
  writeFileSync(join(folder, 'manifest.json'), text);
  const start = () =>
    startHub({
      file: join(folder, 'manifest.json'),
      launched: { running: 'base' },
      program: undefined,
      dataFolder: join(folder, 'data'),
      clock,
      machineTime,
      random: { fraction: () => 0.5, bytes: count => randomBytes(count) },
      logSink: (...line) => log.push(logLine(...line).replace(/ +/, ' ')),
    });
  let hub = await start();
  const port = (): number => Number(hub.status().listeners[0]?.split(':')[1]);
  try {
    await scenario({
      folder,
      log,
      hub: () => hub,
      port,
      restart: async (meanwhile = () => {}) => {
        await hub.stop();
        meanwhile();
        hub = await start();
      },
      client: async (version = 4) => {
        const client = await openClient(port(), version);
        clients.push(client);
        return client;
      },
    });
  } finally {
    for (const client of clients) client.socket.destroy();
    await hub.stop();
    rmSync(folder, { recursive: true });
  }
}

/** MQTT client that sends any packets and bytes, valid or invalid. */
export type Client = {
  readonly socket: Socket;
  readonly write: (bytes: Buffer) => void;
  readonly send: (packet: Packet) => void;
  /**
   * Resolves to the next packet, or to `closed` if the server closes the connection. Rejects after five
   * seconds.
   */
  readonly next: () => Promise<Packet | 'closed'>;
  /** Number of received packets that `next` has not returned. */
  readonly waiting: () => number;
  /** Sends PINGREQ and resolves to the packets before PINGRESP, in brief, or up to `closed`. */
  readonly roundTrip: () => Promise<string[]>;
  /** Sends DISCONNECT and resolves when the server has closed the connection. */
  readonly leave: () => Promise<void>;
  /** Sends CONNECT and resolves to the CONNACK. */
  readonly connect: (options: ConnectOptions) => Promise<Packet | 'closed'>;
  readonly subscribe: (topic: string, qos: 0 | 1 | 2) => Promise<Packet | 'closed'>;
  readonly publish: (topic: string, payload: string, qos: 0 | 1 | 2, messageId?: number) => void;
};

export type ConnectOptions = {
  readonly clientId?: string;
  readonly clean?: boolean;
  readonly keepalive?: number;
  readonly username?: string;
  readonly password?: Buffer;
  readonly will?: NonNullable<IConnectPacket['will']>;
  readonly properties?: NonNullable<IConnectPacket['properties']>;
};

const RECEIVE_TIMEOUT_MS = 5000;

/** Connects to a port of this machine. */
export function openClient(port: number, version: Version = 4): Promise<Client> {
  const socket = connect(port, '127.0.0.1');
  const arrived: (Packet | 'closed')[] = [];
  let wake: (() => void) | undefined;
  const arrive = (what: Packet | 'closed'): void => {
    arrived.push(what);
    wake?.();
  };
  const packets = parser({ protocolVersion: version });
  packets.on('packet', packet => arrive(packet));
  socket.on('data', chunk => packets.parse(chunk));
  socket.on('close', () => arrive('closed'));
  socket.on('error', () => socket.destroy());

  const next = async (): Promise<Packet | 'closed'> => {
    const end = performance.now() + RECEIVE_TIMEOUT_MS;
    while (arrived.length === 0) {
      const left = end - performance.now();
      if (left <= 0) throw new Error('The broker sent nothing for 5 s.');
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, left);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return arrived.shift() ?? 'closed';
  };
  const send = (packet: Packet): void => {
    socket.write(generate(packet, { protocolVersion: version }));
  };

  const client: Client = {
    socket,
    write: bytes => socket.write(bytes),
    send,
    next,
    waiting: () => arrived.length,
    roundTrip: async () => {
      send({ cmd: 'pingreq' });
      const received: string[] = [];
      for (let text = brief(await next()); text !== 'pingresp'; text = brief(await next())) {
        received.push(text);
        if (text === 'closed') break;
      }
      return received;
    },
    leave: async () => {
      send({ cmd: 'disconnect' });
      while ((await next()) !== 'closed');
    },
    connect: options => {
      send({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: version,
        clientId: 'c',
        clean: true,
        keepalive: 0,
        ...options,
      });
      return next();
    },
    subscribe: (topic, qos) => {
      send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos }] });
      return next();
    },
    publish: (topic, payload, qos, messageId = 1) =>
      send({
        cmd: 'publish',
        topic,
        payload,
        qos,
        dup: false,
        retain: false,
        ...(qos === 0 ? {} : { messageId }),
      }),
  };
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(client));
    socket.once('error', reject);
  });
}

/** Returns the parts of a packet that a test compares. */
export function brief(packet: Packet | 'closed'): string {
  if (packet === 'closed') return packet;
  if (packet.cmd === 'publish')
    return `${packet.topic} ${packet.payload} q${packet.qos}${packet.dup ? ' dup' : ''}`;
  if (packet.cmd === 'connack')
    return `connack ${packet.reasonCode ?? packet.returnCode}${packet.sessionPresent ? ' present' : ''}`;
  if (packet.cmd === 'suback') return `suback ${packet.granted.join(' ')}`;
  return packet.cmd;
}
