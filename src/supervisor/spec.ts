import type { Pressure } from '../core/capacity/pressure.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { OnDurable } from '../core/message.ts';
import type { ModuleLimits, ModuleUsage } from './cgroups/cgroup.ts';
import type { SandboxLevel } from './confinement/sandbox.ts';
import type { FindPeer } from './peers/find-peer.ts';
import type { Attachment, Viewer } from './terminal/shared-terminal.ts';

/** Restart policy after an exit. A failure is an exit code other than 0 or a signal. */
export type RestartPolicy = 'never' | 'on-failure' | 'on-unhealthy' | 'always';

/** Restart back-off in milliseconds. */
export type BackoffSpec = {
  readonly first: number;
  readonly factor: number;
  readonly most: number;
  /** A run of this length counts as stable: the module restarts at once and the back-off is reset. */
  readonly forgivenAfter: number;
};

/** Health check of a module; times in milliseconds. */
export type HealthSpec = {
  readonly check:
    | { readonly kind: 'exec'; readonly exec: readonly string[] }
    | { readonly kind: 'tcp'; readonly port: number }
    /** Reported by the host through `Supervisor.reportHealth`. */
    | { readonly kind: 'reported' };
  readonly every: number;
  readonly timeout: number;
  /** Failures in a row until the module is unhealthy. */
  readonly threshold: number;
  /** Maximum time that later modules in the startup order wait for readiness. */
  readonly readyWithin: number;
};

/** Specification of a module. */
export type ModuleSpec = {
  /** Unique and valid as a file name: the log is `<name>.log`. */
  readonly name: string;
  /**
   * Program and arguments. A program without a slash is looked up in PATH, otherwise it is relative to `cwd`.
   */
  readonly exec: readonly string[];
  /** Working folder, an absolute path. */
  readonly cwd: string;
  /** Environment in addition to PATH, HOME and LANG. Nothing else is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** `lines`: messages on standard input and output. `mqtt`: no input, and all output is logged. */
  readonly io: 'lines' | 'mqtt';
  readonly restart: RestartPolicy;
  /** Lower starts first and stops last. Modules with the same order start and stop together. */
  readonly startupOrder: number;
  readonly stopSignal: NodeJS.Signals;
  /** Grace period in milliseconds between `stopSignal` and SIGKILL. */
  readonly stopGrace: number;
  /** Runs the module on a pseudo-terminal, regardless of `io`; all output is logged. */
  readonly tty: boolean;
  readonly backoff: BackoffSpec;
  /** Undefined if the module is ready as soon as it runs. */
  readonly health?: HealthSpec | undefined;
  readonly limits: ModuleLimits;
  readonly sandbox: SandboxLevel;
  /** `none`: no network. In a sandbox it has a private loopback interface. */
  readonly network?: 'none' | undefined;
  /** Folder of the socket to the host, if a sandbox hides it otherwise. */
  readonly socketFolder?: string | undefined;
  /** User name or number, or `dynamic`. Undefined for the hub's user, in a sandbox for `dynamic`. */
  readonly user?: string | undefined;
  /** Device nodes that the module may use. */
  readonly devices: readonly string[];
  /** Folder of the program, if a sandbox hides it otherwise. */
  readonly programFolder?: string | undefined;
  /** Secrets passed in files that only the module can read. `variable` holds the path. */
  readonly secretFiles: readonly { readonly variable: string; readonly content: Buffer }[];
  /** Refuses to start the module if a limit or a part of its sandbox cannot be enforced. */
  readonly require: boolean;
};

/**
 * State of a module.
 * `stopped`: stopped on request. `starting`: being spawned. `running`: runs, not known to be healthy.
 * `ready`: runs and is healthy. `failing`: sent the stop signal because it is unhealthy. `stopping`: sent the
 * stop signal. `killing`: sent SIGKILL after the grace period. `restarting`: stops in order to start again.
 * `waiting`: in restart back-off. `failed`: failed to start or exited with a failure, and is not restarted.
 * `ended`: exited successfully and is not restarted.
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
  /** Restarts after an exit of its own. */
  readonly restarts: number;
  /** Last exit status (`exit 3`, `SIGKILL`), or the reason why it failed to start. */
  readonly lastExit: string | undefined;
  /** Last lines of standard error or the terminal since the last start. */
  readonly lastLines: readonly string[];
  /** Reason of the last failed health check. Undefined if the last check succeeded or there was none. */
  readonly checkFailure?: string | undefined;
  /** Later modules no longer wait for its readiness, because `readyWithin` is over. */
  readonly late: boolean;
  /** Log lines cut at MAX_LOG_LINE_BYTES. */
  readonly cutLines: number;
  /** Messages that the current process has printed. Undefined if its output is logged. */
  readonly printedLines: number | undefined;
  /** Messages that the host rejected or that exceeded the maximum packet size. */
  readonly refusedLines: number;
  /** Log lines lost because of write errors. */
  readonly lostLogLines: number;
  /** Resource usage of all its processes, as far as the kernel counts it here. */
  readonly usage: ModuleUsage;
  /** ModuleLimits and sandbox parts that are not enforced here, each with cause and fix. */
  readonly notEnforced: readonly string[];
};

/** Module: its state machine with process, logs and health. */
export type Module = {
  /** Current specification. */
  readonly spec: () => ModuleSpec;
  /** See `Supervisor.adjust`. */
  readonly adjust: (spec: ModuleSpec) => void;
  /** Resolves when the request is done: the module is down, runs, or has failed or ended meanwhile. */
  readonly request: (wish: 'start' | 'stop' | 'restart') => Promise<void>;
  readonly write: (line: Buffer, written: (error?: Error) => void) => boolean;
  /** See `Supervisor.attach`. */
  readonly attach: (viewer: Viewer) => Attachment;
  readonly status: () => ModuleStatus;
  /** Uid of the module, and whether none of its processes can change it. */
  readonly identity: () => { readonly uid: number | undefined; readonly uidFixed: boolean };
  /** Pids of its cgroup. Undefined if it has none. */
  readonly pids: () => readonly number[] | undefined;
  /** Resolves when later modules need not wait for it any longer. */
  readonly readiness: () => Promise<void>;
  readonly reportHealth: (well: boolean, reason?: string) => void;
  /** Closes its log. Only allowed when it is down. */
  readonly close: () => Promise<void>;
};

export type ModuleStateChange = Pick<ModuleStatus, 'name' | 'state'>;

/** Host of the supervisor: receives messages and state changes. */
export type SupervisorHost = {
  /**
   * Message from a module with `io: lines`: one line of its output without the line end, bytes unchanged.
   * `settle` is called once. While MAX_PENDING_LINES are unsettled, the module's output is not read and the
   * module blocks (back-pressure).
   */
  readonly line: (module: string, line: Buffer, settle: OnDurable) => void;
  /** Called with the number of bytes that modules have printed. */
  readonly countInput?: (bytes: number) => void;
  /** Back-pressure of the host. While it is high, no messages are read from modules. */
  readonly pressure?: Pressure;
  readonly changed: (change: ModuleStateChange) => void;
  /**
   * Called if a module with `io: lines` accepts input: after its start, or after `write` returned false and
   * it has caught up.
   */
  readonly writable?: (module: string) => void;
};

export type SupervisorSettings = {
  readonly clock: Clock;
  readonly log: Log;
  /** Folder of the modules' logs. */
  readonly logFolder: string;
  /** Folder where the supervisor records running processes, to find orphans after a crash. */
  readonly runFolder: string;
  /** Parent of the private folders of modules with a user or a sandbox. */
  readonly ownFolders: string;
  /** Folder hidden from sandboxed modules. */
  readonly hiddenFolder: string;
  /** Pid of the watchdog process of a self-update. It is moved into the same cgroup as the hub. */
  readonly watchdog?: number | undefined;
  readonly host: SupervisorHost;
};

/**
 * Process supervisor. Methods that get an unknown module name throw or reject with the Failure
 * `module.unknown`.
 */
export type Supervisor = {
  /**
   * Kills the orphans of a crashed supervisor. Called once before `start`.
   * @throws Failure `data.unwritable`
   */
  readonly killOrphans: () => Promise<void>;
  /**
   * Adds modules and starts them in startup order. Modules of one order start when all of the previous order
   * are ready, have failed or ended, or are late. Resolves when all were started and the last ones need not
   * be waited for. A module that cannot be started is `failed`; the others run.
   */
  readonly start: (specs: readonly ModuleSpec[]) => Promise<void>;
  /**
   * Changes the specification of a module without a restart. ModuleLimits and health checks apply at once,
   * everything else at the next start.
   */
  readonly adjust: (spec: ModuleSpec) => void;
  /** Stops and removes a module. Resolves when none of its processes is left, or at once if it is unknown. */
  readonly remove: (name: string) => Promise<void>;
  /**
   * Reports the health of a module with the check kind `reported`. Ignored for other modules and if it is not
   * running.
   */
  readonly reportHealth: (name: string, well: boolean, reason?: string) => void;
  /**
   * Stops all modules in reverse startup order, each within its grace period. Resolves when no process is
   * left.
   */
  readonly stop: () => Promise<void>;
  /** Stops a module until it is started again. Resolves when it is down. */
  readonly stopModule: (name: string) => Promise<void>;
  /** Starts a module and resets its back-off. Resolves when it runs or has failed. */
  readonly startModule: (name: string) => Promise<void>;
  /** Stops and starts a module. */
  readonly restart: (name: string) => Promise<void>;
  /**
   * Attaches a viewer to a module's terminal.
   * @throws Failure `usage` if the module has no terminal, `module.exec` if it is not running
   */
  readonly attach: (name: string, viewer: Viewer) => Attachment;
  /** Finds the process at the other end of a connection to the hub, and its module. */
  readonly findPeer: FindPeer;
  readonly statuses: () => ModuleStatus[];
  /**
   * Writes one line, without its end and without newlines in it, to a module with `io: lines`. `written` is
   * called once, later: without an error if the pipe accepted the line, with one if the module exited first.
   * Returns false if the caller must wait for `writable` before the next line.
   */
  readonly write: (module: string, line: Buffer, written: (error?: Error) => void) => boolean;
};
