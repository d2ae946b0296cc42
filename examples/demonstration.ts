import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

/*
 * Runs the greenhouse and its parent hub from the built binary, and prints what flows: the lines of the
 * module "host", what a route selects for the module "watch", and what arrives at the parent.
 */
const root = resolve(import.meta.dirname, '..');
const skerry = join(root, 'dist/skerry');
const edgeData = join(root, '.skerry/greenhouse');
const parentData = join(root, '.skerry/parent');
const children = new Map<ChildProcess, string>();
let stopping = false;

/** Starts the binary and prints every line it says behind `title`. */
function start(title: string, args: readonly string[]): ChildProcess {
  const child = spawn(skerry, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  children.set(child, title);
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', line => {
      if (!stopping || title.endsWith('hub')) process.stdout.write(`${title.padEnd(12)} | ${line}\n`);
    });
  }
  child.on('exit', (code, signal) => {
    children.delete(child);
    if (!stopping) {
      process.stdout.write(`${title.padEnd(12)} | ended: ${signal ?? `exit ${code}`}\n`);
      stop(1);
    } else if (children.size === 0) {
      process.stdout.write('Everything has stopped. "npm start" goes on with what is queued.\n');
    }
  });
  return child;
}

function stop(exitCode: number): void {
  if (stopping) return;
  stopping = true;
  process.exitCode = exitCode;
  for (const child of children.keys()) child.kill('SIGINT');
}

/** Resolves when a port takes connections, or rejects when its hub has ended. */
async function listening(port: number): Promise<void> {
  while (!stopping) {
    const taken = await new Promise<boolean>(done => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => done(true)).once('error', () => done(false));
      socket.once('connect', () => socket.destroy());
    });
    if (taken) return;
    await new Promise(done => setTimeout(done, 50));
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(0));
// A reader that goes away (`npm start | head`) ends the demonstration like Ctrl-C.
process.stdout.on('error', () => stop(0));

start('parent hub', ['up', join(root, 'examples/parent/manifest.json'), '--data', parentData]);
await listening(2883);
if (!stopping) start('at parent', ['sub', '-p', '2883', '-t', 'greenhouse/#', '-v', '-q', '1']);
if (!stopping) start('edge hub', ['up', join(root, 'examples/greenhouse/manifest.json'), '--data', edgeData]);
await listening(1883);
if (!stopping) start('host says', ['sub', '-p', '1883', '-t', 'modules/host/outputs/#', '-v']);
if (!stopping) start('watch hears', ['logs', '-f', 'watch', '--data', edgeData]);
