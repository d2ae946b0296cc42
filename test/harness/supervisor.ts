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

/** Milliseconds after which a condition is given up; and between two looks at it. */
const PATIENCE = 10_000;
const LOOK = 2;

/** Looks in a row that find no change before something is held to be at rest. */
const LOOKS_AT_REST = 40;

/** Milliseconds that pass on a test's clock with each look. */
const STRIDE = 10;

export type Received = { readonly module: string; readonly line: Buffer; readonly settle: OnDurable };

/** A real supervisor with folders of its own, and what it told its host. */
export type SupervisorHarness = {
  readonly supervisor: Supervisor;
  readonly folder: string;
  readonly runFolder: string;
  readonly lines: Received[];
  /** `<module> <state>`, in order. */
  readonly changes: string[];
  /** Modules that said they take input. */
  readonly writable: string[];
  /** Log of the supervisor. */
  readonly said: string[];
  /** A module that runs `script` with sh, in the stage's folder. */
  readonly sh: (name: string, script: string, more?: Partial<ModuleSpec>) => ModuleSpec;
  readonly status: (name: string) => ModuleStatus;
  /** Newest log file of a module. */
  readonly logged: (name: string) => string;
  readonly texts: () => string[];
};

export type SupervisorHarnessOptions = {
  readonly clock?: Clock;
  /** Settles each line at once unless told otherwise. */
  readonly line?: (received: Received) => void;
  readonly countInput?: (bytes: number) => void;
  /** Back-pressure of the host; it has none by default. */
  readonly pressure?: Pressure;
  /** Told that a module takes input, in place of the stage. */
  readonly writable?: (module: string) => void;
  /** Parent of the folder, which everybody may enter. Default: the system's /tmp, private. */
  readonly beneath?: string;
};

/** Sets a stage, plays on it, and takes all down, whatever happened. */
export async function withSupervisor(
  options: SupervisorHarnessOptions,
  play: (stage: SupervisorHarness) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(options.beneath ?? tmpdir(), 'skerry-supervisor-'));
  if (options.beneath !== undefined) chmodSync(folder, 0o755);
  const stage = setStage(folder, options);
  try {
    await play(stage);
  } finally {
    await passing(options.clock, stage.supervisor.stop());
    rmSync(folder, { recursive: true });
  }
}

/**
 * Waits for what takes time on a test's clock as well as in other processes: lets that time pass meanwhile.
 */
export async function passing(clock: Clock | TestClock | undefined, done: Promise<void>): Promise<void> {
  let over = false;
  const ended = done.finally(() => {
    over = true;
  });
  await until('it is done', () => {
    if (clock !== undefined && 'advance' in clock) clock.advance(STRIDE);
    return over;
  });
  await ended;
}

function setStage(folder: string, options: SupervisorHarnessOptions): SupervisorHarness {
  const { clock = createRealClock(), line: take = ({ settle }) => settle() } = options;
  const lines: Received[] = [];
  const changes: string[] = [];
  const writable: string[] = [];
  const said: string[] = [];
  const data = join(folder, 'data');
  const logFolder = join(folder, 'logs');
  const runFolder = join(folder, 'run');
  const made = createSupervisor({
    clock,
    log: logFor('supervisor', (level, _room, text) => said.push(`${level}: ${text}`)),
    logFolder,
    runFolder,
    ownFolders: join(data, 'modules'),
    hiddenFolder: data,
    host: {
      line: (module, line, settle) => {
        const received = { module, line, settle };
        lines.push(received);
        take(received);
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
    said,
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

/** Waits for what another process does: there is no telling when. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const began = performance.now();
  while (!condition()) {
    if (performance.now() - began > PATIENCE) throw new Error(`It never came true that ${what}.`);
    await sleep(LOOK);
  }
}

/** The machine's own clock, which tells how many timers are set; they keep the test running. */
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

export function lives(pid: number): boolean {
  return runningProcess(pid) !== undefined;
}

/** A pid that a script wrote into a file, once it is there. */
export async function pidIn(folder: string, file: string): Promise<number> {
  const path = join(folder, file);
  await until(`${file} holds a pid`, () => /^\d+\n$/.test(readIfThere(path)));
  return Number(readFileSync(path, 'utf8'));
}

/**
 * The number that a script keeps writing into a file, once it has not changed for a while: the script blocks.
 */
export async function atRest(path: string): Promise<number> {
  let last = '';
  let looks = 0;
  await until(`${path} no longer changes`, () => {
    const now = readIfThere(path);
    looks = now !== '' && now === last ? looks + 1 : 0;
    last = now;
    return looks === LOOKS_AT_REST;
  });
  return Number(last);
}

/** Writes a file with the rights `mode` and returns its path. */
export function writeScript(folder: string, file: string, text: string, mode: number): string {
  const path = join(folder, file);
  writeFileSync(path, text, { mode });
  return path;
}

/** File descriptors that this process has open. */
export function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

function readIfThere(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}
