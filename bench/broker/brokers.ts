import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Processor core of the broker. The load runs on the other core. */
const BROKER_CORE = '0';

/** Maximum number of attempts to connect to the port of a broker. aedes may have to be downloaded first. */
const ATTEMPTS = 1_000;

export type Broker = { readonly port: number; readonly pid: number; readonly stop: () => Promise<void> };

const root = resolve(import.meta.dirname, '../..');

/** Returns a port of loopback that is not in use. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise(done => server.close(done));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function isOpen(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function waitUntilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (await isOpen(port)) return;
    await pause(50);
  }
  throw new Error(`Nothing listens on port ${port}.`);
}

async function run(port: number, folder: string, command: readonly string[]): Promise<Broker> {
  const child: ChildProcess = spawn('taskset', ['-c', BROKER_CORE, ...command], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  await waitUntilListening(port);
  return {
    port,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function skerry(): Promise<Broker> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'skerry-broker-'));
  const manifest = join(folder, 'manifest.json');
  writeFileSync(
    manifest,
    JSON.stringify({
      name: 'bench',
      listeners: [{ mqtt: `127.0.0.1:${port}` }],
      storeAndForward: { maxSize: '4G', maxQueueSize: '2G' },
    }),
  );
  return run(port, folder, [join(root, 'dist/skerry'), 'up', manifest, '--data', join(folder, 'data')]);
}

/**
 * Starts Debian's mosquitto without a limit of queued messages, because a limit would drop messages that are
 * counted. TCP_NODELAY makes mosquitto slower at QoS 0. At QoS 1, mosquitto stalls without TCP_NODELAY. Each
 * QoS gets the better setting.
 */
async function mosquitto(qos: number): Promise<Broker> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'skerry-mosquitto-'));
  const file = join(folder, 'mosquitto.conf');
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'max_queued_messages 0',
    `set_tcp_nodelay ${qos > 0}`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  return run(port, folder, ['mosquitto', '-c', file]);
}

async function aedes(): Promise<Broker> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'skerry-aedes-'));
  return run(port, folder, [process.execPath, join(import.meta.dirname, 'aedes.ts'), String(port)]);
}

/** Functions that start a broker for messages of a QoS, by name. */
export const BROKERS: Record<string, (qos: number) => Promise<Broker>> = { skerry, mosquitto, aedes };
