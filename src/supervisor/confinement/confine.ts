import { join } from 'node:path';
import type { ControlGroup } from '../cgroups/cgroup.ts';
import type { LimitName } from '../cgroups/cgroup-files.ts';
import { LIMITS } from '../cgroups/cgroup-files.ts';
import type { Hierarchy } from '../cgroups/hierarchy.ts';
import type { Fault } from '../process/start-error.ts';
import type { ModuleSpec } from '../spec.ts';
import { devicesFor } from './devices.ts';
import { makeOwnFolder } from './module-folder.ts';
import { becoming, bubble, powerless, privateMounts } from './sandbox.ts';
import type { KeptSecrets } from './secret-files.ts';
import { keepSecrets, removeSecrets } from './secret-files.ts';
import { memoryFolder } from './tmpfs-folder.ts';
import type { Account } from './users.ts';
import { accountOf, dynamicAccount, ownersBeside } from './users.ts';
import type { Probe } from './wrapper-probe.ts';
import { tool } from './wrapper-probe.ts';
import { JOIN } from './wrapper-scripts.ts';

/** How a module is started so that what its manifest says of it holds. */
export type Confinement = {
  /** The command line that ends in `exec`; it enters `within`, or else the module's own control group if it is to do so by itself. */
  readonly command: (exec: readonly string[], within?: ControlGroup) => readonly string[];
  /** Makes the control group within the module's that a check of its health is in; undefined: there are none here. */
  readonly checkGroup: () => ControlGroup | undefined;
  /** What its environment has besides, and what of its manifest's reaches it by its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Its control group, which it enters by itself if it has a command line before it. */
  readonly group: ControlGroup | undefined;
  readonly enters: boolean;
  /** The shell tells the signal that ended it by an exit code of 128 and its number. */
  readonly signalsAsCodes: boolean;
  /** Limits and parts of its sandbox that do not hold here, each a sentence with cause and cure. */
  readonly notEnforced: readonly string[];
  /** Those among them that are no limits. */
  readonly unconfined: readonly string[];
  /** Undefined: the hub's own. */
  readonly account: Account | undefined;
};

export type ConfinerSettings = {
  readonly hierarchy: () => Hierarchy;
  readonly probe: Probe;
  /** Where modules have their own folders. */
  readonly ownFolders: string;
  /** What no sandboxed module may see, beside the secrets. */
  readonly hidden: string;
};

export type Confiner = {
  readonly confine: (spec: ModuleSpec) => Promise<Confinement | Fault>;
  /** Sets the limits of what runs anew, and returns what does not hold now. */
  readonly relimit: (spec: ModuleSpec, confinement: Confinement) => readonly string[];
  /** Removes the secrets of a module that has no process any more. */
  readonly release: (module: string) => void;
};

type Part = { readonly command: readonly string[]; readonly notEnforced: readonly string[] };

/** Name of the control group of checks; with a dot, so that no limit or file of the kernel is called so. */
const CHECK_GROUP = 'skerry.check';

const PRIVILEGED = process.getuid?.() === 0;
const NOT_ROOT = 'only root may start programs as another user: run the hub as root';

export function createConfiner(settings: ConfinerSettings): Confiner {
  const { hierarchy, probe, ownFolders, hidden } = settings;
  const groups = new Map<string, ControlGroup | undefined>();
  const secretFolders = new Map<string, string>();
  const accounts = new Map<string, Account>();

  const groupOf = (module: string): ControlGroup | undefined => {
    // Made each time: whoever tidies up the machine may have removed it since.
    const made = hierarchy().group(module);
    if (!groups.has(module)) groups.set(module, made);
    return groups.get(module);
  };

  const limit = ({ name, limits }: ModuleSpec, group: ControlGroup | undefined): Part => {
    const refusals = group?.limit(limits);
    const { lacks, swapLack } = hierarchy();
    const missing = LIMITS.filter(one => limits[one] !== undefined).flatMap(one => {
      const cause = lacks.get(one) ?? refusals?.get(one);
      return cause === undefined ? [] : [[one, cause] as const];
    });
    const byProcess = limits.memory !== undefined && missing.some(([one]) => one === 'memory');
    return {
      command: byProcess ? [tool('prlimit'), `--data=${Math.floor(limits.memory)}`, '--'] : [],
      notEnforced: [
        ...missing.map(([one, cause]) => lackOfLimit(name, one, cause)),
        ...(limits.memory !== undefined && swapLack !== undefined ? [`memory: ${swapLack}.`] : []),
      ],
    };
  };

  const account = (spec: ModuleSpec): Account | Fault | undefined => {
    const { name, sandbox, user = sandbox === 'none' ? undefined : 'dynamic' } = spec;
    if (user === undefined || !PRIVILEGED) return undefined;
    if (user !== 'dynamic') return accountOf(user);
    const known = accounts.get(name);
    if (known !== undefined) return known;
    const own = join(ownFolders, name);
    const taken = new Set([...[...accounts.values()].map(({ uid }) => uid), ...ownersBeside(own)]);
    const made = dynamicAccount(name, own, taken);
    accounts.set(name, made);
    return made;
  };

  const sandbox = async (
    spec: ModuleSpec,
    own: string,
    shown: readonly string[],
    secrets: string | undefined,
  ): Promise<Part & { readonly strict: boolean }> => {
    if (spec.sandbox === 'none') return { command: [], notEnforced: [], strict: false };
    const covered = secrets === undefined || secrets.startsWith('/dev/shm/');
    const all = { privileged: PRIVILEGED, hidden: covered ? [hidden] : [hidden, secrets] };
    const usual = { ...all, own: ownFolders, shown: [], offline: false, cwd: '/', devices: [] };
    const at = { ...all, own, shown, cwd: spec.cwd, devices: spec.devices };
    const lost: string[] = [];
    const boxed = async (name: string, box: typeof bubble): Promise<readonly string[]> => {
      if (spec.network !== 'none') return box({ ...at, offline: false });
      const hindrance = await probe(`${name} offline`, box({ ...usual, offline: true }));
      if (hindrance !== undefined)
        lost.push(`sandbox.network: it has the machine's (${hindrance}): run the hub as root.`);
      return box({ ...at, offline: hindrance === undefined });
    };
    if (spec.sandbox === 'strict') {
      const hindrance = await probe('bubble', bubble(usual));
      if (hindrance === undefined)
        return { command: await boxed('bubble', bubble), notEnforced: lost, strict: true };
      lost.push(
        `sandbox: "strict" is only "standard" (${hindrance}): install bubblewrap (apt install bubblewrap).`,
      );
    }
    const hindrance = await probe('mounts', privateMounts(usual));
    if (hindrance === undefined)
      return { command: await boxed('mounts', privateMounts), notEnforced: lost, strict: false };
    const cure = PRIVILEGED ? 'allow mounts to the hub (CAP_SYS_ADMIN)' : 'run the hub as root';
    lost.push(`sandbox: no private /tmp and no read-only root (${hindrance}): ${cure}.`);
    if (spec.network === 'none') lost.push(`sandbox.network: it has the machine's (${hindrance}): ${cure}.`);
    return { command: [], notEnforced: lost, strict: false };
  };

  const secretsIn = (
    memory: string | undefined,
    { name, secretFiles }: ModuleSpec,
    who: Account | undefined,
  ): KeptSecrets | Fault => {
    if (memory === undefined) return { folder: undefined, paths: {} };
    const folder = join(memory, name);
    secretFolders.set(name, folder);
    return keepSecrets(folder, secretFiles, who);
  };

  const identity = async (spec: ModuleSpec, who: Account | undefined): Promise<Part | Fault> => {
    const lost = spec.user !== undefined && !PRIVILEGED ? [`user: ${NOT_ROOT}.`] : [];
    const changes = who === undefined ? [] : becoming(who);
    const bare = spec.sandbox === 'none' ? [] : powerless(PRIVILEGED);
    if (changes.length + bare.length === 0) return { command: [], notEnforced: lost };
    const hindrance = await probe(`setpriv ${bare.length}`, [tool('setpriv'), ...bare, '--']);
    if (hindrance === undefined)
      return { command: [tool('setpriv'), ...changes, ...bare, '--'], notEnforced: lost };
    // Never as the hub's own user instead: that is root.
    if (who !== undefined && who.uid !== process.getuid?.())
      return {
        reason: `It cannot be run as user ${who.uid} (${hindrance}): install util-linux.`,
        passing: true,
      };
    return { command: [], notEnforced: [...lost, `user, sandbox: ${hindrance}: install util-linux.`] };
  };

  return {
    confine: async spec => {
      const who = account(spec);
      if (who !== undefined && 'reason' in who) return who;
      const contradiction = contradictionIn(spec, who, hidden);
      if (contradiction !== undefined) return { reason: contradiction, passing: false };
      const granted = devicesFor(spec, who);
      const apart = who !== undefined || spec.sandbox !== 'none';
      const own = join(ownFolders, spec.name);
      const closed = apart ? await makeOwnFolder(own, who) : undefined;
      if (closed !== undefined) return closed;
      const memory = apart || spec.secretFiles.length > 0 ? memoryFolder(hidden) : undefined;
      if (typeof memory === 'object' && spec.secretFiles.length > 0) return memory;
      const base = typeof memory === 'string' ? memory : undefined;
      const secrets = secretsIn(base, spec, who);
      if ('reason' in secrets) return secrets;
      const group = groupOf(spec.name);
      const limits = limit(spec, group);
      const box = await sandbox(spec, own, shownTo(spec, secrets.folder), base);
      const self = await identity(spec, granted.account);
      if ('reason' in self) return self;
      const parts = [limits.command, box.command, self.command].filter(({ length }) => length > 0);
      const wrapped = parts.length > 0 || LIMITS.some(one => spec.limits[one] !== undefined);
      const before = wrapped ? launcher(group, parts) : [];
      const env = wrapped ? behindWrappers(spec.env) : { outside: spec.env, command: [] };
      const unconfined = [box, self, granted].flatMap(part => part.notEnforced);
      const notEnforced = [...limits.notEnforced, ...unconfined];
      if (spec.require && notEnforced.length > 0) {
        const reason = `It is not started without what it requires: ${notEnforced.join(' ')}`;
        return { reason, passing: false };
      }
      return {
        command: (exec, within) => [
          ...(within === undefined ? before : launcher(within, parts)),
          ...env.command,
          ...exec,
        ],
        checkGroup: () => group?.inner(CHECK_GROUP),
        environment: { ...(apart ? { HOME: own } : {}), ...secrets.paths, ...env.outside },
        group,
        enters: wrapped,
        signalsAsCodes: box.strict,
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

function launcher(group: ControlGroup | undefined, parts: readonly (readonly string[])[]): string[] {
  const inner = parts.flat();
  return group === undefined ? inner : [tool('sh'), '-c', JOIN, 'skerry', ...group.doors, '--', ...inner];
}

function lackOfLimit(module: string, limit: LimitName, cause: string): string {
  if (limit !== 'memory') return `${limit}: ${cause}.`;
  return `memory: each process of "${module}" by itself is held to it, not all together: ${cause}.`;
}

/** What of the hidden folder a module sees besides its own. */
function shownTo({ programFolder, socketFolder }: ModuleSpec, secrets: string | undefined): string[] {
  return [programFolder, socketFolder, secrets].filter(folder => folder !== undefined);
}

/** What makes no sense together, in one sentence. */
function contradictionIn(spec: ModuleSpec, who: Account | undefined, hidden: string): string | undefined {
  if (spec.sandbox === 'none') return undefined;
  if (who?.uid === 0) return 'A sandbox does not hold root: name another "user", or "dynamic".';
  const covered = [spec.cwd, hidden].find(folder => folder === '/tmp' || folder.startsWith('/tmp/'));
  if (covered === undefined) return undefined;
  return `A sandbox has a /tmp of its own, so ${covered} would not be there: put it elsewhere.`;
}

/** What of an environment makes programs load or do what the module wants: those before it may run as root. */
const OBEYED =
  /^(?:LD_|BASH_|LIBMOUNT_)|^(?:GLIBC_TUNABLES|GCONV_PATH|LOCPATH|MALLOC_TRACE|SHELLOPTS|PS4|ENV)$/;

/** An environment without what the programs before a module would obey, and the command line that sets this behind them. */
function behindWrappers(env: Readonly<Record<string, string>>): {
  readonly outside: Readonly<Record<string, string>>;
  readonly command: readonly string[];
} {
  const inside = Object.entries(env).filter(([name]) => OBEYED.test(name));
  if (inside.length === 0) return { outside: env, command: [] };
  const outside = Object.fromEntries(Object.entries(env).filter(([name]) => !OBEYED.test(name)));
  return { outside, command: [tool('env'), ...inside.map(([name, value]) => `${name}=${value}`)] };
}
