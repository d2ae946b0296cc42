import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { generate, parser } from 'mqtt-packet';

/** Milliseconds that a server may take to start, and one question to it; and between two looks. */
const START_TIMEOUT = 90_000;
const ANSWER_TIMEOUT = 5_000;
const LOOK_EVERY = 50;

/** Milliseconds after SIGTERM until a server that does not end is killed. */
const STOP_TIMEOUT = 30_000;

export type ServerSettings = {
  /** For sentences. */
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** True once it serves. */
  readonly ready: () => Promise<boolean>;
};

/** A process that is started, ended and started again. */
export type Server = {
  readonly running: () => boolean;
  /** Process identifier. Undefined if it does not run. */
  readonly pid: () => number | undefined;
  /** Resolves when it serves. Rejects with what it wrote if it ends before. */
  readonly start: () => Promise<void>;
  /** Resolves when it is gone; at once, if it does not run. */
  readonly end: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>;
};

const groups = new Set<number>();
// Nothing that a test started outlives it.
process.on('exit', () => {
  for (const group of groups) signalProcessGroup(group, 'SIGKILL');
});

// A test that hangs is ended by SIGTERM.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.once(signal, () => process.exit(1));

/** True if a program of a Debian package is installed. */
export function installed(program: string, question: string): boolean {
  return spawnSync(program, [question], { stdio: 'ignore' }).error === undefined;
}

/** Its children are in its process group, and end with it. */
export function createServer({ name, command, environment, ready, ...rest }: ServerSettings): Server {
  let child: ChildProcess | undefined;
  let gone: Promise<void> = Promise.resolve();

  const launch = (): { readonly said: () => string } => {
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
    return { said: () => text };
  };

  return {
    running: () => child !== undefined,
    pid: () => child?.pid,
    start: async () => {
      if (child !== undefined) return;
      const { said } = launch();
      for (const end = performance.now() + START_TIMEOUT; !(await ready()); await pause(LOOK_EVERY)) {
        if (child === undefined) throw new Error(`${name} ended while it started: ${said()}`);
        if (performance.now() > end) throw new Error(`${name} does not serve: ${said()}`);
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

/** Nothing, if the group is gone. */
function signalProcessGroup(group: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (group === 0) return;
  try {
    process.kill(-group, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** True if an MQTT server accepts a client on a port of loopback. */
export function takesClients(port: number): Promise<boolean> {
  return new Promise(done => {
    const socket = connect(port, '127.0.0.1');
    const packets = parser({ protocolVersion: 4 });
    const answer = (taken: boolean): void => {
      socket.destroy();
      done(taken);
    };
    packets.on('packet', packet => answer(packet.cmd === 'connack' && packet.returnCode === 0));
    packets.on('error', () => answer(false));
    socket.on('data', chunk => packets.parse(chunk));
    socket.on('error', () => answer(false));
    socket.on('close', () => answer(false));
    socket.setTimeout(ANSWER_TIMEOUT, () => answer(false));
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
export function opens(port: number): Promise<boolean> {
  return new Promise(done => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}
