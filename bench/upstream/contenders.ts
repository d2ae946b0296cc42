import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { folderWith, freePort, removeFolder } from '../../test/harness/binary.ts';
import type { Server } from '../../test/harness/brokers/server.ts';
import { createServer, takesClients } from '../../test/harness/brokers/server.ts';
import { linesOf } from '../broker/driver.ts';

/** The core of what drains; the upstream has the other, with the load. */
const OWN_CORE = '0';
export const UPSTREAM_CORE = '1';

const root = resolve(import.meta.dirname, '../..');
const LOOP = join(import.meta.dirname, 'loop.ts');

/** Window of the publisher that fills the queue, and of all that drain it. */
const FILL_WINDOW = 1_000;
export const WINDOW = 64;

/** Program that holds a backlog for an upstream. */
export type Subject = {
  /** Keeps messages while the upstream is away, and ends. */
  readonly fill: (messages: number) => Promise<void>;
  /** Begins to drain into the upstream, which is there. */
  readonly drain: () => Promise<void>;
  readonly pid: () => number;
  readonly close: () => Promise<void>;
};

export function onCore(core: string, name: string, command: readonly string[], port: number): Server {
  return createServer({
    name,
    command: 'taskset',
    arguments: ['-c', core, ...command],
    ready: async () => port === 0 || (await takesClients(port)),
  });
}

function bytesFilled(port: number, messages: number): void {
  linesOf('../upstream/fill.ts', [port, messages, FILL_WINDOW]);
}

/** A hub, the built binary. */
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

/** With these a bridge does not wait for the system to gather bytes, and has the hub's window. */
export const TUNED = [`max_inflight_messages ${WINDOW}`, 'set_tcp_nodelay true'];

/** Debian's mosquitto with a bridge; it keeps its backlog in memory, and on disk when it ends. */
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

/** A loop around mqtt.js, which has all in memory already. */
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

/** An upstream that keeps nothing: mosquitto, on the other core. */
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

/** Seconds of processor time that a process and its threads have had; 0: it is gone. */
export function processorTimeOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [user = 0, system = 0] = text.slice(text.lastIndexOf(')')).split(' ').slice(12, 14).map(Number);
    return (user + system) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

/** Bytes; 0: it is gone. */
export function anonymousOf(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Anonymous:\s+(\d+) kB/m.exec(text)?.[1]) * 1024;
  } catch {
    return 0;
  }
}
