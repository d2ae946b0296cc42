import { isDeepStrictEqual } from 'node:util';
import type { Manifest, ModuleEntry } from '../types.ts';
import type { UpstreamChange } from './upstream-changes.ts';
import { upstreamChanges, upstreamSettings } from './upstream-changes.ts';

/** What becomes of a module on the way from one manifest to another. */
export type ModuleChange = {
  readonly module: string;
  readonly change: 'start' | 'stop' | 'restart' | 'adjust' | 'keep';
  /** The fields that differ, of a module that is restarted or adjusted. */
  readonly fields: readonly string[];
};

/** Parts of the hub itself, in the order in which they are changed. */
const HUB_PARTS = ['storage', 'limits', 'access', 'routes', 'listeners', 'upstreams'] as const;
type HubPart = (typeof HUB_PARTS)[number];

/** One step on the way. Each can be taken again when it was taken by half. */
export type Step =
  /** Everything that is to be started is on this machine, and checked. */
  | { readonly kind: 'prepare' }
  | { readonly kind: 'stop'; readonly modules: readonly string[] }
  | { readonly kind: HubPart }
  | { readonly kind: 'adjust'; readonly modules: readonly string[] }
  | { readonly kind: 'start'; readonly modules: readonly string[] };

export type Plan = {
  readonly modules: readonly ModuleChange[];
  readonly upstreams: readonly UpstreamChange[];
  readonly steps: readonly Step[];
  /** Parts of the hub whose steps do more than follow modules that come or go. */
  readonly changedParts: readonly HubPart[];
};

/** A manifest, the folder that its relative paths start from, and the pack that it came in, if it did. */
export type Placed = {
  readonly manifest: Manifest;
  readonly home: string;
  readonly pack?: string | undefined;
  /** Of what runs on the way from one to another: what each part of the hub does, all of them; undefined: as `manifest` says. */
  readonly told?: Readonly<Record<HubPart, Told>> | undefined;
};

/** `half`: nobody knows; it must be told again. */
type Told = Pick<Placed, 'manifest' | 'home'> | 'half';

const NOBODY: ReadonlySet<string> = new Set();

/** Fields of a module that take effect while it runs; all others ask for a new process. */
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

/** Fields that say what a module may do at the broker: the step `access` takes them in. */
const GRANTED: ReadonlySet<string> = new Set(['publish', 'subscribe']);

/**
 * The way from what runs to what should run, which touches only what differs: modules that go or come back are stopped
 * first, in reverse order; then the hub itself is changed; then modules start, those of one order together. Who is `down`
 * and should run is started anew.
 */
export function planOf(current: Placed, target: Placed, down: ReadonlySet<string> = NOBODY): Plan {
  const modules = moduleChanges(current, target, down);
  const named = (...changes: readonly ModuleChange['change'][]): ReadonlySet<string> =>
    new Set(modules.filter(({ change }) => changes.includes(change)).map(({ module }) => module));
  const stopping = byOrder(current.manifest.modules, named('stop', 'restart')).reverse();
  const starting = byOrder(target.manifest.modules, named('start', 'restart'));
  const adjusting = [...named('adjust')];
  const steps: Step[] = [
    ...stopping.map(names => ({ kind: 'stop', modules: names }) as const),
    ...hubSteps(current, target),
    ...(adjusting.length === 0 ? [] : [{ kind: 'adjust', modules: adjusting } as const]),
    ...starting.map(names => ({ kind: 'start', modules: names }) as const),
  ];
  return {
    modules,
    upstreams: upstreamChanges(upstreamsToldOf(current), target),
    steps: starting.length === 0 ? steps : [{ kind: 'prepare' }, ...steps],
    changedParts: changedPartsOf(current, target),
  };
}

/** What runs once a step has begun; the whole of a plan leads to `target`. */
export function afterStep(current: Placed, step: Step, target: Placed): Placed {
  if (step.kind === 'prepare') return current;
  const { manifest, home } = current;
  const told = toldOf(current);
  if (!('modules' in step)) {
    // Where modules find the broker is known to those that start from now on; who stays found it where it is.
    const { listeners } = step.kind === 'listeners' ? target.manifest : manifest;
    return { manifest: { ...manifest, listeners }, home, told: { ...told, [step.kind]: target } };
  }
  const others = manifest.modules.filter(({ name }) => !step.modules.includes(name));
  if (step.kind === 'stop') return { manifest: { ...manifest, modules: others }, home, told };
  const taken = target.manifest.modules.filter(({ name }) => step.modules.includes(name));
  return { manifest: { ...manifest, modules: [...others, ...taken] }, home: target.home, told };
}

/** What runs when the step that had begun failed: whatever it was to change differs from all that may follow. */
export function afterFailure(begun: Placed, step: Step): Placed {
  if (step.kind === 'prepare' || step.kind === 'stop') return begun;
  if (!('modules' in step)) return { ...begun, told: { ...toldOf(begun), [step.kind]: 'half' } };
  const unlike = step.kind === 'start' ? { exec: [] } : { stopGraceSeconds: Number.NaN };
  const modules = begun.manifest.modules.map(module =>
    step.modules.includes(module.name) ? { ...module, ...unlike } : module,
  );
  return { ...begun, manifest: { ...begun.manifest, modules } };
}

function toldOf(current: Placed): Readonly<Record<HubPart, Told>> {
  const { told, ...all } = current;
  return told ?? { storage: all, limits: all, access: all, routes: all, listeners: all, upstreams: all };
}

/** Upstreams that run for certain. */
function upstreamsToldOf(current: Placed): Pick<Placed, 'manifest' | 'home'> {
  const { upstreams } = toldOf(current);
  if (upstreams !== 'half') return upstreams;
  return { manifest: { ...current.manifest, upstreams: [] }, home: current.home };
}

function hubSteps(current: Placed, target: Placed): Step[] {
  const told = toldOf(current);
  return HUB_PARTS.filter(kind => {
    const now = told[kind];
    return now === 'half' || !isDeepStrictEqual(TOLD[kind](now), TOLD[kind](target));
  }).map(kind => ({ kind }));
}

/** Parts that differ also if only the modules of both manifests are looked at. */
function changedPartsOf(current: Placed, target: Placed): HubPart[] {
  const names = new Set(target.manifest.modules.map(({ name }) => name));
  const common = new Set(current.manifest.modules.map(({ name }) => name).filter(name => names.has(name)));
  const reduced = ({ manifest, home }: Pick<Placed, 'manifest' | 'home'>) => ({
    manifest: { ...manifest, modules: manifest.modules.filter(({ name }) => common.has(name)) },
    home,
  });
  const told = toldOf(current);
  return HUB_PARTS.filter(kind => {
    const now = told[kind];
    return now === 'half' || !isDeepStrictEqual(TOLD[kind](reduced(now)), TOLD[kind](reduced(target)));
  });
}

/** What each part looks at. */
const TOLD: Readonly<Record<HubPart, (placed: Pick<Placed, 'manifest' | 'home'>) => unknown>> = {
  storage: ({ manifest }) => manifest.storeAndForward,
  limits: ({ manifest }) => [manifest.limits, manifest.retained],
  access: ({ manifest }) => accessOf(manifest),
  routes: ({ manifest }) => routesOf(manifest),
  // Only some listeners have files.
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

/** Routes stand or fall with the modules and the upstreams that they lead to. */
function routesOf({ name: device, dialect, routes, modules, upstreams }: Manifest): unknown {
  const [moduleNames, upstreamNames] = [modules, upstreams].map(all => all.map(({ name }) => name).sort());
  return [device, dialect, routes, moduleNames, upstreamNames];
}

function moduleChanges(current: Placed, target: Placed, down: ReadonlySet<string>): ModuleChange[] {
  const running = new Map(current.manifest.modules.map(module => [module.name, module]));
  const wanted = new Set(target.manifest.modules.map(({ name }) => name));
  const moved = current.home !== target.home;
  const called = !isDeepStrictEqual(moduleListener(current.manifest), moduleListener(target.manifest));
  const changes = target.manifest.modules.map((module): ModuleChange => {
    const before = running.get(module.name);
    if (before === undefined) return { module: module.name, change: 'start', fields: [] };
    const fields = differing(before, module);
    if (moved && module.bundle === undefined)
      fields.push(`working folder (${current.home}, now ${target.home})`);
    if (down.has(module.name)) fields.push('it does not run');
    if (called && module.io === 'mqtt' && module.network !== 'none') fields.push("the broker's address");
    const change =
      fields.length === 0 ? 'keep' : fields.every(field => IN_PLACE.has(field)) ? 'adjust' : 'restart';
    return { module: module.name, change, fields };
  });
  const stops = current.manifest.modules
    .filter(({ name }) => !wanted.has(name))
    .map(({ name }): ModuleChange => ({ module: name, change: 'stop', fields: [] }));
  return [...stops, ...changes];
}

/** The names of the fields that differ, but for what the broker alone looks at. Where a bundle comes from is no difference. */
function differing(one: ModuleEntry, other: ModuleEntry): string[] {
  const [before, after]: Readonly<Record<string, unknown>>[] = [one, other].map(module => ({
    ...module,
    bundle: module.bundle?.sha256,
  }));
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...names].filter(name => !GRANTED.has(name) && !isDeepStrictEqual(before?.[name], after?.[name]));
}

/** Where modules find the broker: a listener without TLS. */
export function moduleListener({
  listeners,
}: Pick<Manifest, 'listeners'>): Manifest['listeners'][number] | undefined {
  return listeners.find(({ kind }) => kind === 'mqtt');
}

/** Names of modules by their order, those of one order together; `names` are those that count. */
function byOrder(modules: readonly ModuleEntry[], names: ReadonlySet<string>): string[][] {
  const concerned = modules.filter(({ name }) => names.has(name));
  const groups = Map.groupBy(concerned, ({ startupOrder }) => startupOrder);
  return [...groups].sort(([one], [other]) => one - other).map(([, group]) => group.map(({ name }) => name));
}
