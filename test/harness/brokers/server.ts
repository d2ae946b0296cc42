import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { generate, parser } from 'mqtt-packet';

/** Timeout in milliseconds of the start of a server. */
const START_TIMEOUT_MS = 90_000;

/** Timeout in milliseconds of one answer of a server. */
const ANSWER_TIMEOUT_MS = 5_000;

/** Milliseconds between two checks of a server that starts. */
const POLL_MS = 50;

/** Milliseconds from SIGTERM to SIGKILL of a server that does not exit. */
const STOP_TIMEOUT = 30_000;

export type ServerSettings = {
  /** Name in errors. */
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** True if the server accepts clients. */
  readonly ready: () => Promise<boolean>;
};

/** Server process that can be stopped and started again. */
export type Server = {
  readonly running: () => boolean;
  /** Process identifier. Undefined if the server does not run. */
  readonly pid: () => number | undefined;
  /** Resolves when the server accepts clients. Rejects with its output if the server exits before. */
  readonly start: () => Promise<void>;
  /** Resolves when the server has exited. */
  readonly end: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>;
};

const groups = new Set<number>();
// Servers are killed when the test process exits.
process.on('exit', () => {
  for (const group of groups) signalProcessGroup(group, 'SIGKILL');
});

// SIGTERM ends a test that hangs.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.once(signal, () => process.exit(1));

/** True if a program of a Debian package is installed. */
export function isInstalled(program: string, question: string): boolean {
  return spawnSync(program, [question], { stdio: 'ignore' }).error === undefined;
}

/** Creates a server whose children are in its process group and are killed together with it. */
export function createServer({ name, command, environment, ready, ...rest }: ServerSettings): Server {
  let child: ChildProcess | undefined;
  let gone: Promise<void> = Promise.resolve();

  const launch = (): { readonly output: () => string } => {
    const started = spawn(command, rest.arguments, {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    child = started;
    const group = started.pid ?? 0;
    if (group > 0) groups.add(group);
    let text = '';
    for (const stream of [started.stdout, started.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        text = `${text}${chunk}`.slice(-4_000);
      });
    }
    gone = new Promise(done => {
      const over = (): void => {
        signalProcessGroup(group, 'SIGKILL');
        groups.delete(group);
        if (child === started) child = undefined;
        done();
      };
      started.once('exit', over);
      started.once('error', over);
    });
    return { output: () => text };
  };

  return {
    running: () => child !== undefined,
    pid: () => child?.pid,
    start: async () => {
      if (child !== undefined) return;
      const { output } = launch();
      for (const end = performance.now() + START_TIMEOUT_MS; !(await ready()); await pause(POLL_MS)) {
        if (child === undefined) throw new Error(`${name} ended while it started: ${output()}`);
        if (performance.now() > end) throw new Error(`${name} does not serve: ${output()}`);
      }
    },
    end: async signal => {
      const ending = child;
      if (ending === undefined) return;
      signalProcessGroup(ending.pid ?? 0, signal);
      const limit = setTimeout(() => signalProcessGroup(ending.pid ?? 0, 'SIGKILL'), STOP_TIMEOUT);
      await gone;
      clearTimeout(limit);
    },
  };
}

/** Sends a signal to a process group, if the group still exists. */
function signalProcessGroup(group: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (group === 0) return;
  try {
    process.kill(-group, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** True if an MQTT server accepts a client on a port of loopback. */
export function acceptsClients(port: number): Promise<boolean> {
  return new Promise(done => {
    const socket = connect(port, '127.0.0.1');
    const packets = parser({ protocolVersion: 4 });
    const answer = (accepted: boolean): void => {
      socket.destroy();
      done(accepted);
    };
    packets.on('packet', packet => answer(packet.cmd === 'connack' && packet.returnCode === 0));
    packets.on('error', () => answer(false));
    socket.on('data', chunk => packets.parse(chunk));
    socket.on('error', () => answer(false));
    socket.on('close', () => answer(false));
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => answer(false));
    socket.write(
      generate({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clientId: `probe-${port}`,
        clean: true,
        keepalive: 0,
      }),
    );
  });
}

/** True if something listens on a port of loopback. */
export function isListening(port: number): Promise<boolean> {
  return new Promise(done => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}
