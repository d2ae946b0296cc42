import type { Pressure } from '../core/capacity/pressure.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { OnDurable } from '../core/message.ts';
import type { ModuleLimits, ModuleUsage } from './cgroups/cgroup.ts';
import type { SandboxLevel } from './confinement/sandbox.ts';
import type { FindPeer } from './peers/find-peer.ts';
import type { Attachment, Viewer } from './terminal/shared-terminal.ts';

/** Restart policy of a module. An exit with a code other than 0, or by a signal, is a failure. */
export type RestartPolicy = 'never' | 'on-failure' | 'on-unhealthy' | 'always';

/** Restart back-off in milliseconds. */
export type BackoffSpec = {
  /** Delay of the first restart in milliseconds. */
  readonly first: number;
  /** Factor by which each delay is longer than the previous delay. */
  readonly factor: number;
  /** Maximum delay of a restart in milliseconds. */
  readonly most: number;
  /**
   * Minimum length in milliseconds of a run that counts as stable. After a stable run, the module restarts
   * immediately and the delay is reset.
   */
  readonly forgivenAfter: number;
};

/** Health check of a module. All times are in milliseconds. */
export type HealthSpec = {
  readonly check:
    | { readonly kind: 'exec'; readonly exec: readonly string[] }
    | { readonly kind: 'tcp'; readonly port: number }
    /** The module reports its health to the hub, and the hub calls `Supervisor.reportHealth`. */
    | { readonly kind: 'reported' };
  /** Interval between checks in milliseconds. */
  readonly every: number;
  /** Timeout of one check in milliseconds. */
  readonly timeout: number;
  /** Number of failures in a row after which the module is unhealthy. */
  readonly threshold: number;
  /**
   * Maximum milliseconds until this module must be ready. Modules that are later in the startup order wait
   * for this module at most this long.
   */
  readonly readyWithin: number;
};

/** Specification of a module. */
export type ModuleSpec = {
  /** Unique name of the module. Must be valid as a file name, because the log file is `<name>.log`. */
  readonly name: string;
  /**
   * Program and arguments. A program name without a slash is looked up in PATH. A path with a slash is
   * resolved against `cwd`.
   */
  readonly exec: readonly string[];
  /** Absolute path of the working folder. */
  readonly cwd: string;
  /** Environment variables of the module. Only PATH, HOME and LANG are inherited from the hub. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * Interface of the module. `lines`: standard input and output carry messages. `mqtt`: standard input is
   * empty, and all output is logged.
   */
  readonly io: 'lines' | 'mqtt';
  readonly restart: RestartPolicy;
  /** Startup order: a module with a lower number starts earlier and stops later. */
  readonly startupOrder: number;
  readonly stopSignal: NodeJS.Signals;
  /** Grace period in milliseconds between `stopSignal` and SIGKILL. */
  readonly stopGrace: number;
  /** True if the module runs on a pseudo-terminal. In this case all output is logged, and `io` is ignored. */
  readonly tty: boolean;
  readonly backoff: BackoffSpec;
  /** Health check. If undefined, the module is ready as soon as it runs. */
  readonly health?: HealthSpec | undefined;
  readonly limits: ModuleLimits;
  readonly sandbox: SandboxLevel;
  /**
   * `none` if the module has no network. In a sandbox, such a module still has a private loopback interface.
   */
  readonly network?: 'none' | undefined;
  /** Folder of the hub's MQTT socket. Undefined if this folder need not be visible in the sandbox. */
  readonly socketFolder?: string | undefined;
  /**
   * User name, uid, or `dynamic`. If undefined, a module with a sandbox runs as a dynamic user, and a module
   * without a sandbox runs as the hub's user.
   */
  readonly user?: string | undefined;
  /** Paths of the device nodes that the module is permitted to use. */
  readonly devices: readonly string[];
  /** Folder of the program. Undefined if this folder need not be visible in the sandbox. */
  readonly programFolder?: string | undefined;
  /**
   * Secrets that the module reads from files. Only the module can read these files. The environment variable
   * `variable` holds the path of the file.
   */
  readonly secretFiles: readonly { readonly variable: string; readonly content: Buffer }[];
  /** True if the start of the module fails when a limit or a part of its sandbox cannot be enforced. */
  readonly require: boolean;
};

/**
 * State of a module. `stopped`: stopped on request. `starting`: the process is being spawned. `running`: the
 * process runs, and no health check has succeeded. `ready`: the process runs and is healthy. `failing`: the
 * module was sent the stop signal because it is unhealthy. `stopping`: the module was sent the stop signal.
 * `killing`: the module was sent SIGKILL after the grace period. `restarting`: the module stops and then
 * starts again. `waiting`: the module is in restart back-off. `failed`: the module failed to start or exited
 * with a failure, and is not restarted. `ended`: the module exited successfully, and is not restarted.
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
  /** Milliseconds since the process started. Undefined if there is no process. */
  readonly uptimeMs: number | undefined;
  /** Number of restarts after the module exited or became unhealthy. Restarts on request are not counted. */
  readonly restarts: number;
  /** Last exit status (`exit 3`, `SIGKILL`), or the reason why the module failed to start. */
  readonly lastExit: string | undefined;
  /** Last lines of standard error or of the terminal since the last start. */
  readonly lastLines: readonly string[];
  /**
   * Reason of the last failed health check. Undefined if the last check succeeded, or if no check has run.
   */
  readonly checkFailure?: string | undefined;
  /**
   * True if the module is not ready, although `readyWithin` milliseconds have passed since its start. Modules
   * that are later in the startup order have then started without waiting for this module.
   */
  readonly late: boolean;
  /** Number of log lines that were cut at MAX_LOG_LINE_BYTES. */
  readonly cutLines: number;
  /**
   * Number of messages that the current process has printed. Undefined if `io` is `mqtt` or `tty` is true,
   * because standard output then carries no messages.
   */
  readonly printedLines: number | undefined;
  /**
   * Number of times that the hub rejected a message, plus the number of messages that exceeded the maximum
   * packet size.
   */
  readonly refusedLines: number;
  /** Number of log lines that were lost because of write errors. */
  readonly lostLogLines: number;
  /** Resource usage of all processes of the module. */
  readonly usage: ModuleUsage;
  /** Limits and parts of the sandbox that are not enforced, each with the cause and the cure. */
  readonly notEnforced: readonly string[];
};

/** Supervised module with its state machine, process, log and health. */
export type Module = {
  /** Returns the current specification. */
  readonly spec: () => ModuleSpec;
  /** Changes the specification without a restart (see `Supervisor.adjust`). */
  readonly adjust: (spec: ModuleSpec) => void;
  /**
   * Starts, stops or restarts the module. Resolves when the module is stopped, runs, has failed or has ended.
   */
  readonly request: (action: 'start' | 'stop' | 'restart') => Promise<void>;
  /** Writes a line to standard input (see `Supervisor.write`). */
  readonly write: (line: Buffer, written: (error?: Error) => void) => boolean;
  /** Attaches a viewer to the terminal (see `Supervisor.attach`). */
  readonly attach: (viewer: Viewer) => Attachment;
  readonly status: () => ModuleStatus;
  /** Returns the uid of the module. `uidFixed` is true if no process of the module can change its uid. */
  readonly identity: () => { readonly uid: number | undefined; readonly uidFixed: boolean };
  /** Returns the pids of the module's processes. Undefined if the module has no cgroup. */
  readonly pids: () => readonly number[] | undefined;
  /** Resolves when modules that are later in the startup order can start. */
  readonly readiness: () => Promise<void>;
  readonly reportHealth: (well: boolean, reason?: string) => void;
  /** Closes the log of the module. Must only be called when no process of the module runs. */
  readonly close: () => Promise<void>;
};

export type ModuleStateChange = Pick<ModuleStatus, 'name' | 'state'>;

/** Host of the supervisor: receives the messages and state changes of modules. Implemented by the hub. */
export type SupervisorHost = {
  /**
   * Called with one line of output of a module with `io: lines`, without the line end. The hub calls `settle`
   * once: when the line is durable, or when it is rejected. While `settle` calls of MAX_PENDING_LINES lines
   * are outstanding, the module's output is not read, and the module blocks (back-pressure).
   */
  readonly line: (module: string, line: Buffer, settle: OnDurable) => void;
  /** Called with the number of bytes of each chunk that a module has printed. */
  readonly countInput?: (bytes: number) => void;
  /** Back-pressure of the hub's store. While the pressure is high, no messages are read from modules. */
  readonly pressure?: Pressure;
  readonly changed: (change: ModuleStateChange) => void;
  /**
   * Called when a module with `io: lines` accepts input. This happens after the module's start. It also
   * happens when the standard input has space again after `write` has returned false.
   */
  readonly writable?: (module: string) => void;
};

export type SupervisorSettings = {
  readonly clock: Clock;
  readonly log: Log;
  /** Folder of the modules' logs. */
  readonly logFolder: string;
  /**
   * Folder of the file that lists running processes. After a crash of the hub, the file is used to find
   * orphaned processes.
   */
  readonly runFolder: string;
  /** Parent folder of the private folders of modules that have a user of their own or a sandbox. */
  readonly ownFolders: string;
  /** Data folder of the hub, which is hidden from sandboxed modules. */
  readonly hiddenFolder: string;
  /** Pid of the watchdog process of a self-update. The watchdog is moved into the cgroup of the hub. */
  readonly watchdog?: number | undefined;
  readonly host: SupervisorHost;
};

/**
 * Process supervisor. Methods throw or reject with the Failure `module.unknown` for an unknown module name.
 */
export type Supervisor = {
  /**
   * Kills the processes that a crashed hub left running. Must be called once, before `start`.
   * @throws Failure `data.unwritable`
   */
  readonly killOrphans: () => Promise<void>;
  /**
   * Adds modules and starts them in startup order. The modules with the next `startupOrder` start when each
   * module before them is ready, has failed, has ended, or has exceeded `readyWithin`. Resolves when each of
   * the last modules has reached one of these states. A module that cannot be started becomes `failed`. The
   * other modules still run.
   */
  readonly start: (specs: readonly ModuleSpec[]) => Promise<void>;
  /**
   * Changes the specification of a module without a restart. Changes to limits and health checks apply
   * immediately. All other changes apply at the next start of the module.
   */
  readonly adjust: (spec: ModuleSpec) => void;
  /**
   * Stops and removes a module. Resolves when no process of the module runs. Does nothing if the module is
   * unknown.
   */
  readonly remove: (name: string) => Promise<void>;
  /**
   * Reports the health of a module with the check kind `reported`. Does nothing if the module has another
   * check kind, or does not run.
   */
  readonly reportHealth: (name: string, well: boolean, reason?: string) => void;
  /** Stops all modules in reverse startup order. Resolves when no process of a module runs. */
  readonly stop: () => Promise<void>;
  /**
   * Stops a module. The module stays stopped until `startModule` or `restart` is called. Resolves when no
   * process of the module runs.
   */
  readonly stopModule: (name: string) => Promise<void>;
  /** Starts a module and resets its back-off. Resolves when the module runs or has failed. */
  readonly startModule: (name: string) => Promise<void>;
  /** Stops and starts a module. Resolves when the module runs or has failed. */
  readonly restart: (name: string) => Promise<void>;
  /**
   * Attaches a viewer to a module's terminal.
   * @throws Failure `usage` if the module has no terminal, `module.exec` if the module does not run
   */
  readonly attach: (name: string, viewer: Viewer) => Attachment;
  /** Finds the module whose process is at the other end of a connection to the hub. */
  readonly findPeer: FindPeer;
  readonly statuses: () => ModuleStatus[];
  /**
   * Writes one line to the standard input of a module with `io: lines`. `line` must not contain a newline.
   * `written` is called once, asynchronously, when the pipe has accepted the line. If the module exits before
   * that, `written` is called with an error. Returns false if the caller must wait for
   * `SupervisorHost.writable` before the next line.
   */
  readonly write: (module: string, line: Buffer, written: (error?: Error) => void) => boolean;
};
