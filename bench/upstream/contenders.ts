import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { folderWith, freePort, removeFolder } from '../../test/harness/binary.ts';
import type { Server } from '../../test/harness/brokers/server.ts';
import { acceptsClients, createServer } from '../../test/harness/brokers/server.ts';
import { linesOf } from '../broker/driver.ts';

/** Processor core of the program that drains. The upstream and the load run on the other core. */
const OWN_CORE = '0';
export const UPSTREAM_CORE = '1';

const root = resolve(import.meta.dirname, '../..');
const LOOP = join(import.meta.dirname, 'loop.ts');

/** Maximum number of unacknowledged messages of the publisher that fills the queue. */
const FILL_WINDOW = 1_000;

/** Maximum number of unacknowledged messages of each program that drains. */
export const WINDOW = 64;

/** Program that stores a backlog for an upstream. */
export type Subject = {
  /** Stores messages while the upstream is not reachable, then stops. */
  readonly fill: (messages: number) => Promise<void>;
  /** Starts to drain into the upstream, which is running. */
  readonly drain: () => Promise<void>;
  readonly pid: () => number;
  readonly close: () => Promise<void>;
};

export function onCore(core: string, name: string, command: readonly string[], port: number): Server {
  return createServer({
    name,
    command: 'taskset',
    arguments: ['-c', core, ...command],
    ready: async () => port === 0 || (await acceptsClients(port)),
  });
}

function bytesFilled(port: number, messages: number): void {
  linesOf('../upstream/fill.ts', [port, messages, FILL_WINDOW]);
}

/** Creates a hub that runs the built binary. */
export async function skerryFor(upstream: number): Promise<Subject> {
  const port = await freePort();
  const folder = folderWith({});
  const manifest = (to: number): string => {
    const file = join(folder, 'manifest.json');
    const text = JSON.stringify({
      name: 'edge',
      listeners: [{ mqtt: `127.0.0.1:${port}` }],
      storeAndForward: { maxSize: '4G', maxQueueSize: '2G' },
      routes: { all: 'FROM topic("bench/#") INTO $upstream' },
      upstream: { url: `mqtt://127.0.0.1:${to}`, window: WINDOW },
    });
    writeFileSync(file, text);
    return file;
  };
  const command = [
    join(root, 'dist/skerry'),
    'up',
    join(folder, 'manifest.json'),
    '--data',
    join(folder, 'data'),
  ];
  const server = onCore(OWN_CORE, 'skerry', command, port);
  return {
    fill: async messages => {
      manifest(1);
      await server.start();
      bytesFilled(port, messages);
      await server.end('SIGTERM');
    },
    drain: () => {
      manifest(upstream);
      return server.start();
    },
    pid: () => server.pid() ?? 0,
    close: async () => {
      await server.end('SIGKILL');
      removeFolder(folder);
    },
  };
}

/** Settings of a mosquitto bridge: the window of the hub, and TCP_NODELAY. */
export const TUNED = [`max_inflight_messages ${WINDOW}`, 'set_tcp_nodelay true'];

/**
 * Creates a bridge with Debian's mosquitto. The bridge stores its backlog in memory, and writes the backlog
 * to disk when it stops.
 */
export async function bridgeFor(upstream: number, tuning: readonly string[]): Promise<Subject> {
  const port = await freePort();
  const folder = folderWith({});
  const configure = (to: number): void => {
    const lines = [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      'user root',
      'persistence true',
      `persistence_location ${folder}/`,
      'max_queued_messages 0',
      ...tuning,
      'connection up',
      `address 127.0.0.1:${to}`,
      'topic bench/# out 1',
      'cleansession false',
      'notifications false',
      'restart_timeout 1',
    ];
    writeFileSync(join(folder, 'mosquitto.conf'), `${lines.join('\n')}\n`);
  };
  const server = onCore(OWN_CORE, 'mosquitto', ['mosquitto', '-c', join(folder, 'mosquitto.conf')], port);
  return {
    fill: async messages => {
      configure(1);
      await server.start();
      bytesFilled(port, messages);
      await server.end('SIGTERM');
    },
    drain: () => {
      configure(upstream);
      return server.start();
    },
    pid: () => server.pid() ?? 0,
    close: async () => {
      await server.end('SIGKILL');
      removeFolder(folder);
    },
  };
}

/** Creates a loop around mqtt.js. Its messages are in memory. */
export async function loopFor(upstream: number): Promise<Subject> {
  let wanted = 0;
  let server: Server | undefined;
  return {
    fill: async messages => {
      wanted = messages;
    },
    drain: async () => {
      const command = [process.execPath, LOOP, String(upstream), String(wanted), String(WINDOW)];
      server = onCore(OWN_CORE, 'mqtt.js', command, 0);
      await server.start();
    },
    pid: () => server?.pid() ?? 0,
    close: async () => server?.end('SIGKILL'),
  };
}

/** Starts mosquitto as upstream on the other core. It stores no messages. */
export async function upstreamMosquitto(): Promise<{
  readonly port: number;
  readonly close: () => Promise<void>;
}> {
  const port = await freePort();
  const folder = folderWith({});
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'max_queued_messages 0',
    'max_inflight_messages 0',
    'set_tcp_nodelay true',
  ];
  writeFileSync(join(folder, 'mosquitto.conf'), `${lines.join('\n')}\n`);
  const command = ['mosquitto', '-c', join(folder, 'mosquitto.conf')];
  const server = onCore(UPSTREAM_CORE, 'mosquitto', command, port);
  await server.start();
  return {
    port,
    close: async () => {
      await server.end('SIGKILL');
      removeFolder(folder);
    },
  };
}

const TICKS_PER_SECOND = 100;

/** Returns the seconds of processor time of a process and its threads, or 0 if it has ended. */
export function processorTimeOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [user = 0, system = 0] = text.slice(text.lastIndexOf(')')).split(' ').slice(12, 14).map(Number);
    return (user + system) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

/** Returns the bytes of anonymous memory of a process, or 0 if it has ended. */
export function anonymousOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Anonymous:\s+(\d+) kB/m.exec(text)?.[1]) * 1024;
  } catch {
    return 0;
  }
}
