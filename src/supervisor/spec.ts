import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { OnDurable } from '../core/message.ts';
import type { Pressure } from '../core/pressure.ts';
import type { Limits, Usage } from './cgroups/cgroup.ts';
import type { SandboxLevel } from './confinement/sandbox.ts';
import type { FindPeer } from './peers/find-peer.ts';
import type { Attachment, Viewer } from './terminal/shared-terminal.ts';

/** When a module that ended by itself is started again; a failure is an exit code other than 0, or a signal. */
export type RestartPolicy = 'never' | 'on-failure' | 'on-unhealthy' | 'always';

/** Waits before a module that ended is started again, in milliseconds. */
export type BackoffSpec = {
  readonly first: number;
  readonly factor: number;
  readonly most: number;
  /** After a run of this length it is started again at once, and the ends before are forgotten. */
  readonly forgivenAfter: number;
};

/** What tells that a module is well; times in milliseconds. */
export type HealthSpec = {
  readonly check:
    | { readonly kind: 'exec'; readonly exec: readonly string[] }
    | { readonly kind: 'tcp'; readonly port: number }
    /** The host says it by `Supervisor.reportHealth`. */
    | { readonly kind: 'reported' };
  readonly every: number;
  readonly timeout: number;
  /** Checks in a row that fail before it is unhealthy. */
  readonly threshold: number;
  /** How long those behind it in the start order wait for it to be ready. */
  readonly readyWithin: number;
};

/** What is to run. */
export type ModuleSpec = {
  /** Unique, and fit for a file name: its log is `<name>.log`. */
  readonly name: string;
  /** The program and its arguments. A program without a slash is looked up in PATH, else it is taken from `cwd`. */
  readonly exec: readonly string[];
  /** Its working folder, an absolute path. */
  readonly cwd: string;
  /** Its environment beyond PATH, HOME and LANG; nothing else is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** `lines`: its standard input and output carry messages; `mqtt`: it has no input and its output is log. */
  readonly io: 'lines' | 'mqtt';
  readonly restart: RestartPolicy;
  /** Lower starts first and stops last; modules of one order start and stop together. */
  readonly startupOrder: number;
  readonly stopSignal: NodeJS.Signals;
  /** Milliseconds from `stopSignal` to SIGKILL. */
  readonly stopGrace: number;
  /** Runs it on a terminal of its own, whatever `io` says: all it prints is log. */
  readonly tty: boolean;
  readonly backoff: BackoffSpec;
  /** Undefined: it is ready as soon as it runs. */
  readonly health?: HealthSpec | undefined;
  readonly limits: Limits;
  readonly sandbox: SandboxLevel;
  /** `none`: it has no network, but in a sandbox its own loopback. */
  readonly network?: 'none' | undefined;
  /** The folder of the socket by which it reaches the host, if that is within what sandboxes hide. */
  readonly socketFolder?: string | undefined;
  /** A user's name or number, or `dynamic`; undefined: the hub's own, in a sandbox `dynamic`. */
  readonly user?: string | undefined;
  /** Device nodes that it may use. */
  readonly devices: readonly string[];
  /** The folder of its program, if that is within what sandboxes hide. */
  readonly programFolder?: string | undefined;
  /** What it finds in files that nobody else may read, by the variable that has the path. */
  readonly secretFiles: readonly { readonly variable: string; readonly content: Buffer }[];
  /** It is not started where a limit or a part of its sandbox does not hold. */
  readonly require: boolean;
};

/**
 * `stopped`: not wanted. `starting`: being spawned. `running`. `ready`: it runs and its checks say that it is well.
 * `failing`: asked to go because they do not. `stopping`: asked to go. `killing`: its grace is
 * over. `restarting`: asked to go, to be started anew. `waiting`: for its next start after it ended. `failed`: it
 * could not be started, or ended badly and is not started again. `ended`: it ended well and is not started again.
 */
export type ModuleState =
  | 'stopped'
  | 'starting'
  | 'running'
  | 'ready'
  | 'failing'
  | 'stopping'
  | 'killing'
  | 'restarting'
  | 'waiting'
  | 'failed'
  | 'ended';

export type ModuleStatus = {
  readonly name: string;
  readonly state: ModuleState;
  readonly pid: number | undefined;
  /** Milliseconds that its process has been running; undefined: it has none. */
  readonly uptime: number | undefined;
  /** Starts that followed an end of its own. */
  readonly restarts: number;
  /** How it last ended (`exit 3`, `SIGKILL`), or one sentence why it could not be started. */
  readonly lastExit: string | undefined;
  /** The last lines of its standard error, or of its terminal, since its last start. */
  readonly lastLines: readonly string[];
  /** Reason why its last check failed; undefined: it did not, or there was none. */
  readonly checkFailure?: string | undefined;
  /** The next ones in the start order no longer wait for it to be ready: its time was up. */
  readonly late: boolean;
  /** Lines of its log longer than MAX_LOG_LINE_BYTES, of which the rest was dropped. */
  readonly cutLines: number;
  /** Lines that its newest process has printed as messages; undefined if what it prints is log. */
  readonly printedLines: number | undefined;
  /** Lines that were messages and that the host settled with an error, or that were longer than the largest packet. */
  readonly refusedLines: number;
  /** Lines that could not be written to its log file. */
  readonly lostLogLines: number;
  /** What all its processes together use, so far as it is counted here. */
  readonly usage: Usage;
  /** Limits and parts of its sandbox that do not hold here: what, why, and what to do. */
  readonly notEnforced: readonly string[];
};

/** One module: the table of its life, carried out. */
export type Module = {
  /** As it is now. */
  readonly spec: () => ModuleSpec;
  /** See `Supervisor.adjust`. */
  readonly adjust: (spec: ModuleSpec) => void;
  /** Resolves when what was asked is done: it is down, or it runs, or it failed or ended meanwhile. */
  readonly ask: (wish: 'start' | 'stop' | 'restart') => Promise<void>;
  readonly write: (line: Buffer, written: (error?: Error) => void) => boolean;
  /** See `Supervisor.attach`. */
  readonly attach: (viewer: Viewer) => Attachment;
  readonly status: () => ModuleStatus;
  /** Its user, and whether all of its processes are that user's for good. */
  readonly identity: () => { readonly uid: number | undefined; readonly sealed: boolean };
  /** Its processes by its control group; undefined if it has none. */
  readonly pids: () => readonly number[] | undefined;
  /** Resolves when those behind it in the start order need not wait for it any longer. */
  readonly readiness: () => Promise<void>;
  readonly reportHealth: (well: boolean, reason?: string) => void;
  /** Closes its log; only when it is down. */
  readonly close: () => Promise<void>;
};

export type ModuleChange = Pick<ModuleStatus, 'name' | 'state'>;

/** Who the supervisor works for. */
export type SupervisorHost = {
  /**
   * One line of output of a module with `io: lines`, its end removed, its bytes as they came. `settle` comes
   * once; while MAX_UNSETTLED_LINES have not come, that module's output is not read and the module blocks.
   */
  readonly line: (module: string, line: Buffer, settle: OnDurable) => void;
  /** Counts bytes that modules have printed. */
  readonly countInput?: (bytes: number) => void;
  /** Back-pressure of the host: while it is high, no messages of modules are read. */
  readonly pressure?: Pressure;
  readonly changed: (change: ModuleChange) => void;
  /** A module with `io: lines` takes input: it was just started, or has caught up after `write` said false. */
  readonly writable?: (module: string) => void;
};

export type SupervisorSettings = {
  readonly clock: Clock;
  readonly log: Log;
  /** Where the modules' logs are written. */
  readonly logFolder: string;
  /** Where the supervisor notes what runs, for the next start after a crash. */
  readonly runFolder: string;
  /** Modules with a user or a sandbox have a folder of their own in here. */
  readonly ownFolders: string;
  /** The folder that no sandboxed module may see. */
  readonly hiddenFolder: string;
  /** The pid of a process that watches over this one and does nothing else: it goes where this one goes. */
  readonly guard?: number | undefined;
  readonly host: SupervisorHost;
};

/** Names a module that is not there: throws or rejects with the Failure `module.unknown`. */
export type Supervisor = {
  /** Takes down what a supervisor that crashed left running. Called once, before `start`; Failure `data.unwritable`. */
  readonly takeDownLeft: () => Promise<void>;
  /**
   * Takes on modules that are not there yet and starts them in their order, those of one order when all of the one before
   * are ready, have failed or ended, or are late. Resolves when all have been tried and those
   * of the last need not be waited for any longer either. A module that cannot be started is `failed`, the others run.
   */
  readonly start: (specs: readonly ModuleSpec[]) => Promise<void>;
  /**
   * A module that is there is another now, without an end of its process: limits and checks hold at once, all else from
   * its next start on.
   */
  readonly adjust: (spec: ModuleSpec) => void;
  /** Stops a module, resolves when no process of it is left, and forgets it. One that is not there is gone already. */
  readonly remove: (name: string) => Promise<void>;
  /** A module whose health is `reported` is well or not. Of other modules, and of what does not run, nothing is heard. */
  readonly reportHealth: (name: string, well: boolean, reason?: string) => void;
  /** Stops all in reverse order, each within its grace; resolves when no process of any group is left. */
  readonly stop: () => Promise<void>;
  /** Resolves when it is down. It stays down until it is started. */
  readonly stopModule: (name: string) => Promise<void>;
  /** Resolves when it runs or has failed. Asked for by a person, so it forgets the back-off. */
  readonly startModule: (name: string) => Promise<void>;
  /** `stopModule` and `startModule` in one. */
  readonly restart: (name: string) => Promise<void>;
  /** Failure `usage`: the module has no terminal; `module.exec`: it does not run. */
  readonly attach: (name: string, viewer: Viewer) => Attachment;
  /** Finds the process at the other end of a connection to the hub, and the modules that it belongs to. */
  readonly findPeer: FindPeer;
  readonly statuses: () => ModuleStatus[];
  /**
   * Writes one line, without its end and with no newline in it, to a module with `io: lines`. `written` comes
   * once, later: without an error when the pipe has taken the line, with one when the module went away first.
   * Returns false when the caller should wait for `writable` before the next.
   */
  readonly write: (module: string, line: Buffer, written: (error?: Error) => void) => boolean;
};
