import { isDeepStrictEqual } from 'node:util';
import type { Manifest, ModuleEntry } from '../types.ts';
import type { UpstreamChange } from './upstream-changes.ts';
import { upstreamChanges, upstreamSettings } from './upstream-changes.ts';

/** Change of one module between two manifests. */
export type ModuleChange = {
  readonly module: string;
  readonly change: 'start' | 'stop' | 'restart' | 'adjust' | 'keep';
  /** Names of the changed fields that require a restart or an adjustment. Empty for any other change. */
  readonly fields: readonly string[];
};

/** Components of the hub, in the order in which a plan changes them. */
const HUB_PARTS = ['storage', 'limits', 'access', 'routes', 'listeners', 'upstreams'] as const;
type HubPart = (typeof HUB_PARTS)[number];

/** Step of a plan. All steps are idempotent: a step that was interrupted can be repeated. */
export type PlanStep =
  /** Fetches and checks the bundles and secrets of the modules that will be started. */
  | { readonly kind: 'prepare' }
  | { readonly kind: 'stop'; readonly modules: readonly string[] }
  | { readonly kind: HubPart }
  | { readonly kind: 'adjust'; readonly modules: readonly string[] }
  | { readonly kind: 'start'; readonly modules: readonly string[] };

export type Plan = {
  readonly modules: readonly ModuleChange[];
  readonly upstreams: readonly UpstreamChange[];
  readonly steps: readonly PlanStep[];
  /**
   * Components of the hub that change. Excludes components that change only because modules are added or
   * removed.
   */
  readonly changedParts: readonly HubPart[];
};

/**
 * Manifest, the folder in which its relative paths start (`home`), and the pack that contains the manifest. A
 * pack is one file with a manifest and all files that the manifest names.
 */
export type Placed = {
  readonly manifest: Manifest;
  readonly home: string;
  readonly pack?: string | undefined;
  /**
   * Set only while a plan is partly applied: the settings with which each component runs. Undefined if all
   * components run with `manifest`.
   */
  readonly applied?: Readonly<Record<HubPart, AppliedSettings>> | undefined;
};

/** Settings with which a component runs. `unknown` after a failed step. */
type AppliedSettings = Pick<Placed, 'manifest' | 'home'> | 'unknown';

const NONE: ReadonlySet<string> = new Set();

/** Fields of a module whose change takes effect without a restart. All other fields require a restart. */
const IN_PLACE: ReadonlySet<string> = new Set([
  'restart',
  'backoff',
  'health',
  'startupOrder',
  'stopSignal',
  'stopGraceSeconds',
  'limits',
  'require',
]);

/** Fields with permissions of a module, which the step `access` applies. */
const PERMISSION_FIELDS: ReadonlySet<string> = new Set(['publish', 'subscribe']);

/**
 * Returns the plan that changes the hub from one manifest to another. The plan contains only differences. The
 * plan stops removed and restarted modules in reverse startup order, then changes the components of the hub,
 * then starts modules in startup order. `down` contains the names of modules that do not run. The plan
 * restarts these modules.
 */
export function planOf(current: Placed, target: Placed, down: ReadonlySet<string> = NONE): Plan {
  const modules = moduleChanges(current, target, down);
  const named = (...changes: readonly ModuleChange['change'][]): ReadonlySet<string> =>
    new Set(modules.filter(({ change }) => changes.includes(change)).map(({ module }) => module));
  const stopping = byOrder(current.manifest.modules, named('stop', 'restart')).reverse();
  const starting = byOrder(target.manifest.modules, named('start', 'restart'));
  const adjusting = [...named('adjust')];
  const steps: PlanStep[] = [
    ...stopping.map(names => ({ kind: 'stop', modules: names }) as const),
    ...hubSteps(current, target),
    ...(adjusting.length === 0 ? [] : [{ kind: 'adjust', modules: adjusting } as const]),
    ...starting.map(names => ({ kind: 'start', modules: names }) as const),
  ];
  return {
    modules,
    upstreams: upstreamChanges(runningUpstreams(current), target),
    steps: starting.length === 0 ? steps : [{ kind: 'prepare' }, ...steps],
    changedParts: changedPartsOf(current, target),
  };
}

/** Returns the state after a step was applied. After all steps of a plan, the state is `target`. */
export function stateAfterStep(current: Placed, step: PlanStep, target: Placed): Placed {
  if (step.kind === 'prepare') return current;
  const { manifest, home } = current;
  const applied = appliedSettings(current);
  if (!('modules' in step)) {
    // After the step `listeners`, the state contains the new listeners. Modules that start after this step
    // get the new broker address.
    const { listeners } = step.kind === 'listeners' ? target.manifest : manifest;
    return { manifest: { ...manifest, listeners }, home, applied: { ...applied, [step.kind]: target } };
  }
  const others = manifest.modules.filter(({ name }) => !step.modules.includes(name));
  if (step.kind === 'stop') return { manifest: { ...manifest, modules: others }, home, applied };
  const changed = target.manifest.modules.filter(({ name }) => step.modules.includes(name));
  return { manifest: { ...manifest, modules: [...others, ...changed] }, home: target.home, applied };
}

/**
 * Returns the state after a step has failed. In this state, the modules and components of the failed step
 * differ from any target. The next plan therefore changes them again.
 */
export function stateAfterFailure(begun: Placed, step: PlanStep): Placed {
  if (step.kind === 'prepare' || step.kind === 'stop') return begun;
  if (!('modules' in step))
    return { ...begun, applied: { ...appliedSettings(begun), [step.kind]: 'unknown' } };
  const invalidSetting = step.kind === 'start' ? { exec: [] } : { stopGraceSeconds: Number.NaN };
  const modules = begun.manifest.modules.map(module =>
    step.modules.includes(module.name) ? { ...module, ...invalidSetting } : module,
  );
  return { ...begun, manifest: { ...begun.manifest, modules } };
}

function appliedSettings(current: Placed): Readonly<Record<HubPart, AppliedSettings>> {
  const { applied, ...all } = current;
  return applied ?? { storage: all, limits: all, access: all, routes: all, listeners: all, upstreams: all };
}

/**
 * Returns the manifest with which the upstreams run. After a failed step, returns a manifest without
 * upstreams.
 */
function runningUpstreams(current: Placed): Pick<Placed, 'manifest' | 'home'> {
  const { upstreams } = appliedSettings(current);
  if (upstreams !== 'unknown') return upstreams;
  return { manifest: { ...current.manifest, upstreams: [] }, home: current.home };
}

function hubSteps(current: Placed, target: Placed): PlanStep[] {
  const applied = appliedSettings(current);
  return HUB_PARTS.filter(kind => {
    const now = applied[kind];
    return now === 'unknown' || !isDeepStrictEqual(PART_SETTINGS[kind](now), PART_SETTINGS[kind](target));
  }).map(kind => ({ kind }));
}

/**
 * Returns the components whose settings differ between the two manifests. Ignores modules that only one
 * manifest contains.
 */
function changedPartsOf(current: Placed, target: Placed): HubPart[] {
  const names = new Set(target.manifest.modules.map(({ name }) => name));
  const common = new Set(current.manifest.modules.map(({ name }) => name).filter(name => names.has(name)));
  const reduced = ({ manifest, home }: Pick<Placed, 'manifest' | 'home'>) => ({
    manifest: { ...manifest, modules: manifest.modules.filter(({ name }) => common.has(name)) },
    home,
  });
  const applied = appliedSettings(current);
  return HUB_PARTS.filter(kind => {
    const now = applied[kind];
    return (
      now === 'unknown' ||
      !isDeepStrictEqual(PART_SETTINGS[kind](reduced(now)), PART_SETTINGS[kind](reduced(target)))
    );
  });
}

/** Functions by component. Each function returns the settings on which the component depends. */
const PART_SETTINGS: Readonly<Record<HubPart, (placed: Pick<Placed, 'manifest' | 'home'>) => unknown>> = {
  storage: ({ manifest }) => manifest.storeAndForward,
  limits: ({ manifest }) => [manifest.limits, manifest.retained],
  access: ({ manifest }) => accessOf(manifest),
  routes: ({ manifest }) => routesOf(manifest),
  // The folder is compared only if listeners read files, because only file paths depend on the folder.
  listeners: ({ manifest: { listeners }, home }) => [
    listeners,
    listeners.every(({ kind }) => kind === 'mqtt' || kind === 'ws') ? '' : home,
  ],
  upstreams: upstreamSettings,
};

function accessOf({ users, anonymous, modules }: Manifest): unknown {
  const grants = modules.map(({ name, publish, subscribe }) => [name, publish, subscribe]);
  return [users, anonymous, grants.sort(([one], [other]) => (String(one) < String(other) ? -1 : 1))];
}

/** Returns the settings of the routes, which include the names of modules and upstreams. */
function routesOf({ name: device, dialect, routes, modules, upstreams }: Manifest): unknown {
  const [moduleNames, upstreamNames] = [modules, upstreams].map(all => all.map(({ name }) => name).sort());
  return [device, dialect, routes, moduleNames, upstreamNames];
}

function moduleChanges(current: Placed, target: Placed, down: ReadonlySet<string>): ModuleChange[] {
  const running = new Map(current.manifest.modules.map(module => [module.name, module]));
  const targetNames = new Set(target.manifest.modules.map(({ name }) => name));
  const folderChanged = current.home !== target.home;
  const addressChanged = !isDeepStrictEqual(
    moduleListener(current.manifest),
    moduleListener(target.manifest),
  );
  const changes = target.manifest.modules.map((module): ModuleChange => {
    const before = running.get(module.name);
    if (before === undefined) return { module: module.name, change: 'start', fields: [] };
    const fields = changedFields(before, module);
    if (folderChanged && module.bundle === undefined)
      fields.push(`working folder (${current.home}, now ${target.home})`);
    if (down.has(module.name)) fields.push('the module does not run');
    if (addressChanged && module.io === 'mqtt' && module.network !== 'none')
      fields.push("the broker's address");
    const change =
      fields.length === 0 ? 'keep' : fields.every(field => IN_PLACE.has(field)) ? 'adjust' : 'restart';
    return { module: module.name, change, fields };
  });
  const stops = current.manifest.modules
    .filter(({ name }) => !targetNames.has(name))
    .map(({ name }): ModuleChange => ({ module: name, change: 'stop', fields: [] }));
  return [...stops, ...changes];
}

/** Returns the changed fields of a module, except permissions. Bundles are compared by their hash. */
function changedFields(one: ModuleEntry, other: ModuleEntry): string[] {
  const [before, after]: Readonly<Record<string, unknown>>[] = [one, other].map(module => ({
    ...module,
    bundle: module.bundle?.sha256,
  }));
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...names].filter(
    name => !PERMISSION_FIELDS.has(name) && !isDeepStrictEqual(before?.[name], after?.[name]),
  );
}

/** Returns the listener to which modules connect: the first listener of the kind `mqtt`. */
export function moduleListener({
  listeners,
}: Pick<Manifest, 'listeners'>): Manifest['listeners'][number] | undefined {
  return listeners.find(({ kind }) => kind === 'mqtt');
}

/** Returns the names of the selected modules, grouped by startup order, the lowest order first. */
function byOrder(modules: readonly ModuleEntry[], names: ReadonlySet<string>): string[][] {
  const selected = modules.filter(({ name }) => names.has(name));
  const groups = Map.groupBy(selected, ({ startupOrder }) => startupOrder);
  return [...groups].sort(([one], [other]) => one - other).map(([, group]) => group.map(({ name }) => name));
}
