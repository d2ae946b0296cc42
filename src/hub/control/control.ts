import { chmodSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Failure, reasonOf } from '../../core/errors.ts';
import type { Deployments } from '../../deployment/deployments.ts';
import type { Supervisor } from '../../supervisor/spec.ts';
import { MAX_CONTROL_REQUEST_BYTES } from '../limits.ts';
import type { HubStatus } from '../status.ts';
import { attach } from './attach.ts';
import type { CertificateStatus } from './certificate-status.ts';
import type { ClientControl } from './client-control.ts';
import type { QueueControl } from './queue-control.ts';
import type { RouteControl } from './route-control.ts';

const NOTHING: Buffer = Buffer.alloc(0);

/** Request that a command sends to the running hub. */
export type ControlRequest = { readonly command: string; readonly args: readonly string[] };

export type ControlReply =
  | { readonly result: unknown }
  | { readonly failure: { readonly code: string; readonly sentence: string } };

export type Control = { readonly close: () => unknown };

export type ControlHost = {
  readonly status: () => HubStatus;
  readonly certificates: () => readonly CertificateStatus[];
  readonly supervisor: Pick<Supervisor, 'startModule' | 'stopModule' | 'restart' | 'attach'>;
  readonly deployments: Pick<Deployments, 'apply' | 'preview' | 'status'>;
  readonly queues: QueueControl;
  readonly routes: RouteControl;
  readonly clients: ClientControl;
};

type Action = (host: ControlHost, ...args: readonly string[]) => unknown;

/**
 * Action of each request, by the request's name. The actions do not validate their arguments, because the
 * command that sends the request has validated them.
 */
export const ACTIONS: Readonly<Record<string, Action>> = {
  status: ({ status }) => status(),
  certificates: ({ certificates }) => certificates(),
  apply: ({ deployments }, file = '') => deployments.apply(file),
  'apply preview': ({ deployments }, file = '') => deployments.preview(file),
  deployment: ({ deployments }) => deployments.status(),
  start: ({ supervisor }, module = '') => supervisor.startModule(module),
  stop: ({ supervisor }, module = '') => supervisor.stopModule(module),
  restart: ({ supervisor }, module = '') => supervisor.restart(module),
  'queue peek': ({ queues }, queue = '', limit = '0') => queues.peek(queue, Number(limit)),
  'queue drop': ({ queues }, queue = '', sequence = '') => queues.drop(queue, Number(sequence)),
  'queue drop all': ({ queues }, queue = '') => queues.dropAll(queue),
  'queue dead': ({ queues }) => queues.letters(),
  'queue dead replay': ({ queues }, id = '') => queues.replay(id),
  'queue dead drop': ({ queues }, id = '') => queues.forget(id),
  sessions: ({ clients }, offset = '0') => clients.sessions(Number(offset)),
  'sessions show': ({ clients }, id = '') => clients.show(id),
  'sessions drop': ({ clients }, id = '') => clients.drop(id),
  'sessions drop all': ({ clients }, holder = '') => clients.dropAll(holder),
  clients: ({ clients }, offset = '0') => clients.clients(Number(offset)),
  'clients kick': ({ clients }, id = '') => clients.kick(id),
  retained: ({ clients }, offset = '0') => clients.retained(Number(offset)),
  'retained clear': ({ clients }, filter = '') => clients.clear(filter),
  'routes explain': ({ routes }, message = '', route = '') => routes.explain(message, route),
  'routes replay': ({ routes }, text = '', since = '') => routes.replay(text, Number(since)),
};

/** Returns the path of the control socket in a data folder. */
export function controlPath(dataFolder: string): string {
  return join(dataFolder, 'control.sock');
}

/**
 * Serves the control socket at `path`. Each connection carries one request and one reply, each of them one
 * line of JSON. After the request `attach`, the connection carries terminal frames. The file mode 0600
 * restricts access to the hub's user. An existing socket file is stale, because the caller holds the lock of
 * the data folder.
 */
export async function serveControl(path: string, host: ControlHost): Promise<Control> {
  rmSync(path, { force: true });
  const server = createServer(socket => serve(socket, host));
  const mask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', error =>
        reject(new Failure('data.unwritable', `Cannot open the control socket ${path}: ${error.message}.`)),
      );
      server.listen(path, resolve);
    });
    chmodSync(path, 0o600);
  } finally {
    process.umask(mask);
  }
  return {
    // Node also removes the socket file. If this fails, the next start of the hub replaces the file.
    close: () => server.close(),
  };
}

function serve(socket: Socket, host: ControlHost): void {
  let buffered = NOTHING;
  const read = (chunk: Buffer): void => {
    buffered = Buffer.concat([buffered, chunk]);
    if (buffered.length > MAX_CONTROL_REQUEST_BYTES) socket.destroy();
    const end = buffered.indexOf('\n');
    if (end < 0) return;
    socket.off('data', read);
    const line = buffered.toString('utf8', 0, end);
    answer(line, host, socket).then(
      reply => {
        if (reply !== undefined) socket.end(`${JSON.stringify(reply)}\n`);
      },
      () => socket.destroy(),
    );
  };
  socket.on('data', read);
  // An error of the socket is ignored, because a client is allowed to disconnect early.
  socket.on('error', () => socket.destroy());
}

/** Returns the reply to a request. Undefined if the connection has switched to terminal frames. */
async function answer(line: string, host: ControlHost, socket: Socket): Promise<ControlReply | undefined> {
  try {
    const { command, args } = requestOf(line);
    if (command !== 'attach') return { result: (await perform({ command, args }, host)) ?? null };
    attach(host.supervisor, args, socket, `${JSON.stringify({ result: null })}\n`);
    return undefined;
  } catch (thrown) {
    const code = thrown instanceof Failure ? thrown.code : 'usage';
    return { failure: { code, sentence: reasonOf(thrown) } };
  }
}

function perform({ command, args }: ControlRequest, host: ControlHost): unknown {
  const action = Object.hasOwn(ACTIONS, command) ? ACTIONS[command] : undefined;
  if (action !== undefined) return action(host, ...args);
  throw new Failure(
    'usage',
    `This hub does not know the command "${command}": it may be of another version.`,
  );
}

function requestOf(line: string): ControlRequest {
  const value: unknown = JSON.parse(line);
  if (typeof value !== 'object' || value === null || !('command' in value)) {
    throw new Failure('usage', 'A control request is an object with a "command".');
  }
  const args: unknown[] = 'args' in value && Array.isArray(value.args) ? value.args : [];
  return { command: String(value.command), args: args.map(String) };
}
