import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pressure } from '../../src/core/capacity/pressure.ts';
import type { Clock } from '../../src/core/clock.ts';
import { logFor } from '../../src/core/log.ts';
import type { OnDurable } from '../../src/core/message.ts';
import { runningProcess } from '../../src/core/proc.ts';
import type { ModuleSpec, ModuleStatus, Supervisor } from '../../src/supervisor/spec.ts';
import { createSupervisor } from '../../src/supervisor/supervisor.ts';
import type { TestClock } from './clock.ts';

/** Maximum milliseconds to wait for a condition. */
const TIMEOUT_MS = 10_000;

/** Milliseconds between two checks of a condition. */
const POLL_MS = 2;

/** Consecutive checks without a change before a value counts as stable. */
const STABLE_POLLS = 40;

/** Milliseconds by which a test clock advances with each check. */
const CLOCK_STEP_MS = 10;

/** Line of a module with its callback. */
export type Received = { readonly module: string; readonly line: Buffer; readonly settle: OnDurable };

/** A real supervisor with temporary folders, and its calls to the host. */
export type SupervisorHarness = {
  readonly supervisor: Supervisor;
  readonly folder: string;
  readonly runFolder: string;
  readonly lines: Received[];
  /** `<module> <state>`, in order. */
  readonly changes: string[];
  /** Modules that became writable, in order. */
  readonly writable: string[];
  /** Log of the supervisor. */
  readonly log: string[];
  /** Returns a module that runs `script` with sh in the harness folder. */
  readonly sh: (name: string, script: string, more?: Partial<ModuleSpec>) => ModuleSpec;
  readonly status: (name: string) => ModuleStatus;
  /** Newest log file of a module. */
  readonly logged: (name: string) => string;
  /** Received lines as text. */
  readonly texts: () => string[];
};

export type SupervisorHarnessOptions = {
  readonly clock?: Clock;
  /** Called with each line. Default: settles the line at once. */
  readonly line?: (received: Received) => void;
  readonly countInput?: (bytes: number) => void;
  /** Back-pressure of the host. Default: none. */
  readonly pressure?: Pressure;
  /** Called when a module becomes writable, in place of the harness. */
  readonly writable?: (module: string) => void;
  /** Parent of the harness folder, which then has mode 0755. Default: the system's /tmp, mode 0700. */
  readonly beneath?: string;
};

/** Runs `scenario` with a supervisor, and stops the supervisor and removes its folders afterwards. */
export async function withSupervisor(
  options: SupervisorHarnessOptions,
  scenario: (harness: SupervisorHarness) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(options.beneath ?? tmpdir(), 'skerry-supervisor-'));
  if (options.beneath !== undefined) chmodSync(folder, 0o755);
  const harness = createHarness(folder, options);
  try {
    await scenario(harness);
  } finally {
    await advanceUntilDone(options.clock, harness.supervisor.stop());
    rmSync(folder, { recursive: true });
  }
}

/** Waits for `done` while a test clock advances, for actions that need its time and other processes. */
export async function advanceUntilDone(
  clock: Clock | TestClock | undefined,
  done: Promise<void>,
): Promise<void> {
  let over = false;
  const ended = done.finally(() => {
    over = true;
  });
  await until('it is done', () => {
    if (clock !== undefined && 'advance' in clock) clock.advance(CLOCK_STEP_MS);
    return over;
  });
  await ended;
}

function createHarness(folder: string, options: SupervisorHarnessOptions): SupervisorHarness {
  const { clock = createRealClock(), line: onLine = ({ settle }) => settle() } = options;
  const lines: Received[] = [];
  const changes: string[] = [];
  const writable: string[] = [];
  const log: string[] = [];
  const data = join(folder, 'data');
  const logFolder = join(folder, 'logs');
  const runFolder = join(folder, 'run');
  const made = createSupervisor({
    clock,
    log: logFor('supervisor', (level, _room, text) => log.push(`${level}: ${text}`)),
    logFolder,
    runFolder,
    ownFolders: join(data, 'modules'),
    hiddenFolder: data,
    host: {
      line: (module, line, settle) => {
        const received = { module, line, settle };
        lines.push(received);
        onLine(received);
      },
      ...(options.countInput && { countInput: options.countInput }),
      ...(options.pressure && { pressure: options.pressure }),
      changed: ({ name, state }) => changes.push(`${name} ${state}`),
      writable: options.writable ?? (module => writable.push(module)),
    },
  });
  const supervisor: Supervisor = {
    ...made,
    start: async specs => {
      await made.killOrphans();
      await made.start(specs);
    },
  };
  return {
    supervisor,
    folder,
    runFolder,
    lines,
    changes,
    writable,
    log,
    sh: (name, script, more) => shellModule(name, folder, script, more),
    status: name => {
      const found = supervisor.statuses().find(status => status.name === name);
      if (found === undefined) throw new Error(`No status of ${name}`);
      return found;
    },
    logged: name => readIfThere(join(logFolder, `${name}.log`)),
    texts: () => lines.map(({ line }) => line.toString()),
  };
}

/** A module that runs a script with sh. */
export function shellModule(
  name: string,
  cwd: string,
  script: string,
  more: Partial<ModuleSpec> = {},
): ModuleSpec {
  return {
    name,
    exec: ['sh', '-c', script],
    cwd,
    env: {},
    io: 'lines',
    restart: 'never',
    startupOrder: 0,
    stopSignal: 'SIGTERM',
    stopGrace: 2_000,
    tty: false,
    backoff: { first: 1_000, factor: 2, most: 60_000, forgivenAfter: 60_000 },
    limits: {},
    sandbox: 'none',
    devices: [],
    secretFiles: [],
    require: false,
    ...more,
  };
}

/** Waits until `condition` returns true. Rejects with `what` after the timeout. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const began = performance.now();
  while (!condition()) {
    if (performance.now() - began > TIMEOUT_MS) throw new Error(`Timed out waiting until ${what}.`);
    await sleep(POLL_MS);
  }
}

/** Creates a clock of real time with the number of its pending timers, which keep the process running. */
export function createRealClock(): Clock & { readonly pending: () => number } {
  const timers = new Set<NodeJS.Timeout>();
  return {
    monotonic: () => performance.now(),
    wall: () => Date.now(),
    after: (milliseconds, action) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        action();
      }, milliseconds);
      timers.add(timer);
      return () => {
        timers.delete(timer);
        clearTimeout(timer);
      };
    },
    pending: () => timers.size,
  };
}

/** True if a process exists and is not a zombie. */
export function isRunning(pid: number): boolean {
  return runningProcess(pid) !== undefined;
}

/** Waits until a script has written a pid into a file. Returns the pid. */
export async function pidIn(folder: string, file: string): Promise<number> {
  const path = join(folder, file);
  await until(`${file} holds a pid`, () => /^\d+\n$/.test(readIfThere(path)));
  return Number(readFileSync(path, 'utf8'));
}

/** Waits until the number that a script writes into a file is stable, so the script blocks. Returns it. */
export async function stableNumberIn(path: string): Promise<number> {
  let last = '';
  let polls = 0;
  await until(`${path} no longer changes`, () => {
    const now = readIfThere(path);
    polls = now !== '' && now === last ? polls + 1 : 0;
    last = now;
    return polls === STABLE_POLLS;
  });
  return Number(last);
}

/** Writes a file with the permissions `mode`. Returns its path. */
export function writeScript(folder: string, file: string, text: string, mode: number): string {
  const path = join(folder, file);
  writeFileSync(path, text, { mode });
  return path;
}

/** Number of open file descriptors of this process. */
export function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
