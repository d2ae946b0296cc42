import { join } from 'node:path';
import type { Cgroup } from '../cgroups/cgroup.ts';
import type { LimitName } from '../cgroups/cgroup-files.ts';
import { LIMITS } from '../cgroups/cgroup-files.ts';
import type { CgroupHierarchy } from '../cgroups/hierarchy.ts';
import type { StartError } from '../process/start-error.ts';
import type { ModuleSpec } from '../spec.ts';
import { devicesFor } from './devices.ts';
import { makeModuleFolder } from './module-folder.ts';
import { bubblewrap, dropPrivileges, privateMounts, switchUser } from './sandbox.ts';
import type { SecretFiles } from './secret-files.ts';
import { removeSecrets, writeSecrets } from './secret-files.ts';
import { makeTmpfsFolder } from './tmpfs-folder.ts';
import type { Account } from './users.ts';
import { accountOf, dynamicAccount, otherFolderOwners } from './users.ts';
import type { WrapperProbe } from './wrapper-probe.ts';
import { toolPath } from './wrapper-probe.ts';
import { JOIN_CGROUPS } from './wrapper-scripts.ts';

/** Confinement of a module, as its manifest specifies: wrapper programs, cgroup, user and environment. */
export type Confinement = {
  /**
   * Returns the command line that starts the wrapper programs, such as `unshare` and `setpriv`, which then
   * execute `exec`. The first wrapper joins the cgroup `within`. If `within` is undefined and `joinsItself`
   * is true, the first wrapper joins the module's cgroup.
   */
  readonly command: (exec: readonly string[], within?: Cgroup) => readonly string[];
  /** Creates the child cgroup for health checks. Returns undefined if the module has no cgroup. */
  readonly checkGroup: () => Cgroup | undefined;
  /**
   * Environment of the first wrapper program: HOME, the paths of secrets, and the manifest's variables.
   * Variables that could inject code into a wrapper are excluded. The command line sets the excluded
   * variables for the module's program only.
   */
  readonly environment: Readonly<Record<string, string>>;
  /** Cgroup of the module. */
  readonly group: Cgroup | undefined;
  /**
   * True if a wrapper joins the cgroup before the module's program runs. False if the hub must move the
   * process into the cgroup.
   */
  readonly joinsItself: boolean;
  /**
   * True if a signal that ends the program makes the wrapper exit with the code 128 plus the signal number.
   */
  readonly signalsAsCodes: boolean;
  /** Limits and parts of the sandbox that cannot be enforced, each with the cause and the cure. */
  readonly notEnforced: readonly string[];
  /**
   * Entries of `notEnforced` about the sandbox, the user and the devices of the module, but not about its
   * limits.
   */
  readonly unconfined: readonly string[];
  /** User of the module. Undefined if the module runs as the hub's user. */
  readonly account: Account | undefined;
};

export type ConfinerSettings = {
  readonly hierarchy: () => CgroupHierarchy;
  readonly probe: WrapperProbe;
  /** Parent folder of the modules' private folders. */
  readonly ownFolders: string;
  /** Data folder of the hub, which is hidden from sandboxed modules. */
  readonly hidden: string;
};

export type Confiner = {
  /** Prepares the confinement of a module. Called before each start of the module. */
  readonly confine: (spec: ModuleSpec) => Promise<Confinement | StartError>;
  /**
   * Sets the limits of a running module. Returns the limits and parts of the sandbox that are not enforced,
   * each with the cause and the cure.
   */
  readonly relimit: (spec: ModuleSpec, confinement: Confinement) => readonly string[];
  /** Removes the secrets of a module that has exited. */
  readonly release: (module: string) => void;
};

/**
 * Wrapper command, and the restrictions that it cannot enforce. If the command is empty, no wrapper is needed
 * or no wrapper is available.
 */
type Wrapper = { readonly command: readonly string[]; readonly notEnforced: readonly string[] };

/**
 * Name of the child cgroup for health checks. This name differs from the names of all interface files that
 * the kernel creates in a cgroup.
 */
const CHECK_GROUP = 'skerry.check';

/** True if the hub runs as root. */
const PRIVILEGED = process.getuid?.() === 0;
const NOT_ROOT = 'only root may change the user: run the hub as root';

export function createConfiner(settings: ConfinerSettings): Confiner {
  const { hierarchy, probe, ownFolders, hidden } = settings;
  const groups = new Map<string, Cgroup | undefined>();
  const secretFolders = new Map<string, string>();
  const accounts = new Map<string, Account>();

  const groupOf = (module: string): Cgroup | undefined => {
    // Creates the cgroup again before each start, because another program may have removed the empty cgroup.
    const created = hierarchy().group(module);
    if (!groups.has(module)) groups.set(module, created);
    return groups.get(module);
  };

  const limit = ({ name, limits }: ModuleSpec, group: Cgroup | undefined): Wrapper => {
    const refusals = group?.limit(limits);
    const { unsupported, swapUnsupported } = hierarchy();
    const missing = LIMITS.filter(limitName => limits[limitName] !== undefined).flatMap(limitName => {
      const cause = unsupported.get(limitName) ?? refusals?.get(limitName);
      return cause === undefined ? [] : [[limitName, cause] as const];
    });
    const byProcess = limits.memory !== undefined && missing.some(([limitName]) => limitName === 'memory');
    return {
      command: byProcess ? [toolPath('prlimit'), `--data=${Math.floor(limits.memory)}`, '--'] : [],
      notEnforced: [
        ...missing.map(([limitName, cause]) => unenforcedLimit(name, limitName, cause)),
        ...(limits.memory !== undefined && swapUnsupported !== undefined
          ? [`memory: ${swapUnsupported}.`]
          : []),
      ],
    };
  };

  const accountFor = (spec: ModuleSpec): Account | StartError | undefined => {
    const { name, sandbox, user = sandbox === 'none' ? undefined : 'dynamic' } = spec;
    if (user === undefined || !PRIVILEGED) return undefined;
    if (user !== 'dynamic') return accountOf(user);
    const known = accounts.get(name);
    if (known !== undefined) return known;
    const ownFolder = join(ownFolders, name);
    const usedUids = new Set([
      ...[...accounts.values()].map(({ uid }) => uid),
      ...otherFolderOwners(ownFolder),
    ]);
    const created = dynamicAccount(name, ownFolder, usedUids);
    accounts.set(name, created);
    return created;
  };

  const sandbox = async (
    spec: ModuleSpec,
    ownFolder: string,
    visible: readonly string[],
    secrets: string | undefined,
  ): Promise<Wrapper & { readonly strict: boolean }> => {
    if (spec.sandbox === 'none') return { command: [], notEnforced: [], strict: false };
    const covered = secrets === undefined || secrets.startsWith('/dev/shm/');
    const common = { privileged: PRIVILEGED, hidden: covered ? [hidden] : [hidden, secrets] };
    const probeSettings = { ...common, own: ownFolders, visible: [], offline: false, cwd: '/', devices: [] };
    const moduleSettings = { ...common, own: ownFolder, visible, cwd: spec.cwd, devices: spec.devices };
    const notEnforced: string[] = [];
    const isolated = async (name: string, sandboxWrapper: typeof bubblewrap): Promise<readonly string[]> => {
      if (spec.network !== 'none') return sandboxWrapper({ ...moduleSettings, offline: false });
      const problem = await probe(`${name} offline`, sandboxWrapper({ ...probeSettings, offline: true }));
      if (problem !== undefined)
        notEnforced.push(
          `sandbox.network: not isolated, the module uses the host network (${problem}): run the hub as root.`,
        );
      return sandboxWrapper({ ...moduleSettings, offline: problem === undefined });
    };
    if (spec.sandbox === 'strict') {
      const problem = await probe('bubblewrap', bubblewrap(probeSettings));
      if (problem === undefined)
        return { command: await isolated('bubblewrap', bubblewrap), notEnforced, strict: true };
      notEnforced.push(
        `sandbox: "strict" is reduced to "standard" (${problem}): install bubblewrap (apt install bubblewrap).`,
      );
    }
    const problem = await probe('mounts', privateMounts(probeSettings));
    if (problem === undefined)
      return { command: await isolated('mounts', privateMounts), notEnforced, strict: false };
    const fix = PRIVILEGED ? 'grant the hub CAP_SYS_ADMIN for mounts' : 'run the hub as root';
    notEnforced.push(`sandbox: no private /tmp and no read-only root (${problem}): ${fix}.`);
    if (spec.network === 'none')
      notEnforced.push(
        `sandbox.network: not isolated, the module uses the host network (${problem}): ${fix}.`,
      );
    return { command: [], notEnforced, strict: false };
  };

  const secretsIn = (
    memory: string | undefined,
    { name, secretFiles }: ModuleSpec,
    account: Account | undefined,
  ): SecretFiles | StartError => {
    if (memory === undefined) return { folder: undefined, paths: {} };
    const folder = join(memory, name);
    secretFolders.set(name, folder);
    return writeSecrets(folder, secretFiles, account);
  };

  const identity = async (spec: ModuleSpec, account: Account | undefined): Promise<Wrapper | StartError> => {
    const notEnforced = spec.user !== undefined && !PRIVILEGED ? [`user: ${NOT_ROOT}.`] : [];
    const changes = account === undefined ? [] : switchUser(account);
    const dropped = spec.sandbox === 'none' ? [] : dropPrivileges(PRIVILEGED);
    if (changes.length + dropped.length === 0) return { command: [], notEnforced };
    const problem = await probe(`setpriv ${dropped.length}`, [toolPath('setpriv'), ...dropped, '--']);
    if (problem === undefined)
      return { command: [toolPath('setpriv'), ...changes, ...dropped, '--'], notEnforced };
    // The hub runs as root here. The start must fail, because the module would otherwise run as root.
    if (account !== undefined && account.uid !== process.getuid?.())
      return {
        reason: `Cannot switch to user ${account.uid} (${problem}): install util-linux.`,
        transient: true,
      };
    return { command: [], notEnforced: [...notEnforced, `user, sandbox: ${problem}: install util-linux.`] };
  };

  return {
    confine: async spec => {
      const account = accountFor(spec);
      if (account !== undefined && 'reason' in account) return account;
      const conflict = conflictIn(spec, account, hidden);
      if (conflict !== undefined) return { reason: conflict, transient: false };
      const granted = devicesFor(spec, account);
      const confined = account !== undefined || spec.sandbox !== 'none';
      const ownFolder = join(ownFolders, spec.name);
      const folderError = confined ? await makeModuleFolder(ownFolder, account) : undefined;
      if (folderError !== undefined) return folderError;
      const memory = confined || spec.secretFiles.length > 0 ? makeTmpfsFolder(hidden) : undefined;
      if (typeof memory === 'object' && spec.secretFiles.length > 0) return memory;
      const base = typeof memory === 'string' ? memory : undefined;
      const secrets = secretsIn(base, spec, account);
      if ('reason' in secrets) return secrets;
      const group = groupOf(spec.name);
      const limits = limit(spec, group);
      const sandboxWrapper = await sandbox(spec, ownFolder, visibleFolders(spec, secrets.folder), base);
      const userWrapper = await identity(spec, granted.account);
      if ('reason' in userWrapper) return userWrapper;
      const parts = [limits.command, sandboxWrapper.command, userWrapper.command].filter(
        ({ length }) => length > 0,
      );
      const joinsItself = parts.length > 0 || LIMITS.some(limitName => spec.limits[limitName] !== undefined);
      const prefix = joinsItself ? launcher(group, parts) : [];
      const env = joinsItself ? splitEnvironment(spec.env) : { outside: spec.env, command: [] };
      const unconfined = [sandboxWrapper, userWrapper, granted].flatMap(part => part.notEnforced);
      const notEnforced = [...limits.notEnforced, ...unconfined];
      if (spec.require && notEnforced.length > 0) {
        const reason = `Not started, because "require" is set and this is not enforced: ${notEnforced.join(' ')}`;
        return { reason, transient: false };
      }
      return {
        command: (exec, within) => [
          ...(within === undefined ? prefix : launcher(within, parts)),
          ...env.command,
          ...exec,
        ],
        checkGroup: () => group?.child(CHECK_GROUP),
        environment: { ...(confined ? { HOME: ownFolder } : {}), ...secrets.paths, ...env.outside },
        group,
        joinsItself,
        signalsAsCodes: sandboxWrapper.strict,
        notEnforced,
        unconfined,
        account: granted.account,
      };
    },
    release: module => {
      const folder = secretFolders.get(module);
      if (folder !== undefined) removeSecrets(folder);
      secretFolders.delete(module);
    },
    relimit: (spec, { group, unconfined }) => [...limit(spec, group).notEnforced, ...unconfined],
  };
}

function launcher(group: Cgroup | undefined, parts: readonly (readonly string[])[]): string[] {
  const inner = parts.flat();
  return group === undefined
    ? inner
    : [toolPath('sh'), '-c', JOIN_CGROUPS, 'skerry', ...group.procsFiles, '--', ...inner];
}

function unenforcedLimit(module: string, limit: LimitName, cause: string): string {
  if (limit !== 'memory') return `${limit}: ${cause}.`;
  return `memory: limited for each process of "${module}", not in total: ${cause}.`;
}

/** Returns the folders that stay visible to the module, although their parent folders are hidden. */
function visibleFolders({ programFolder, socketFolder }: ModuleSpec, secrets: string | undefined): string[] {
  return [programFolder, socketFolder, secrets].filter(folder => folder !== undefined);
}

/**
 * Returns the reason why a sandbox cannot work with the module's user or folders. Undefined if the sandbox
 * can work.
 */
function conflictIn(spec: ModuleSpec, account: Account | undefined, hidden: string): string | undefined {
  if (spec.sandbox === 'none') return undefined;
  if (account?.uid === 0) return 'A sandbox cannot confine root: set another "user", or "dynamic".';
  const covered = [spec.cwd, hidden].find(folder => folder === '/tmp' || folder.startsWith('/tmp/'));
  if (covered === undefined) return undefined;
  return `A sandbox has a private /tmp, so ${covered} is not visible in it: move it elsewhere.`;
}

/**
 * Environment variables that can inject code, such as `LD_PRELOAD`. Wrapper programs must not receive these
 * variables, because wrapper programs can run as root.
 */
const INJECTING =
  /^(?:LD_|BASH_|LIBMOUNT_)|^(?:GLIBC_TUNABLES|GCONV_PATH|LOCPATH|MALLOC_TRACE|SHELLOPTS|PS4|ENV)$/;

/**
 * Splits an environment into two parts. `outside` contains the variables that are safe for the wrapper
 * programs. `command` is a command that sets the other variables for the module's program. The wrapper
 * programs execute this command.
 */
function splitEnvironment(env: Readonly<Record<string, string>>): {
  readonly outside: Readonly<Record<string, string>>;
  readonly command: readonly string[];
} {
  const inside = Object.entries(env).filter(([name]) => INJECTING.test(name));
  if (inside.length === 0) return { outside: env, command: [] };
  const outside = Object.fromEntries(Object.entries(env).filter(([name]) => !INJECTING.test(name)));
  return { outside, command: [toolPath('env'), ...inside.map(([name, value]) => `${name}=${value}`)] };
}
