import { isDeepStrictEqual } from 'node:util';
import type { Manifest, ModuleEntry } from './types.ts';

/** What becomes of a module on the way from one manifest to another. */
export type ModuleChange = {
  readonly module: string;
  readonly change: 'start' | 'stop' | 'restart' | 'adjust' | 'keep';
  /** The fields that differ, of a module that is restarted or adjusted. */
  readonly fields: readonly string[];
};

/** One step on the way. Each can be taken again when it was taken by half. */
export type Step =
  /** Everything that is to be started is on this machine, and checked. */
  | { readonly kind: 'prepare' }
  | { readonly kind: 'stop'; readonly modules: readonly string[] }
  | { readonly kind: 'storage' | 'access' | 'routes' | 'listeners' | 'upstream' }
  | { readonly kind: 'adjust'; readonly modules: readonly string[] }
  | { readonly kind: 'start'; readonly modules: readonly string[] };

export type Plan = { readonly modules: readonly ModuleChange[]; readonly steps: readonly Step[] };

/** A manifest, the folder that its relative paths start from, and the pack that it came in, if it did. */
export type Placed = {
  readonly manifest: Manifest;
  readonly home: string;
  readonly pack?: string | undefined;
};

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
 * first, in reverse order; then the hub itself is changed; then modules start, those of one order together.
 */
export function planOf(current: Placed, target: Placed): Plan {
  const modules = moduleChanges(current, target);
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
  return { modules, steps: starting.length === 0 ? steps : [{ kind: 'prepare' }, ...steps] };
}

/** What runs once a step has begun; the whole of a plan leads to `target`. */
export function afterStep(current: Placed, step: Step, target: Placed): Placed {
  const { manifest, home } = current;
  const { manifest: wanted } = target;
  const with_ = (part: Partial<Manifest>): Placed => ({ manifest: { ...manifest, ...part }, home });
  switch (step.kind) {
    case 'prepare':
      return current;
    case 'stop':
      return with_({ modules: manifest.modules.filter(({ name }) => !step.modules.includes(name)) });
    case 'adjust':
    case 'start': {
      const others = manifest.modules.filter(({ name }) => !step.modules.includes(name));
      const taken = wanted.modules.filter(({ name }) => step.modules.includes(name));
      return { manifest: { ...manifest, modules: [...others, ...taken] }, home: target.home };
    }
    case 'storage':
      return with_({ storeAndForward: wanted.storeAndForward });
    case 'access':
      return with_({ users: wanted.users, anonymous: wanted.anonymous, modules: granted(manifest, wanted) });
    case 'routes':
      return with_({ name: wanted.name, dialect: wanted.dialect, routes: wanted.routes });
    case 'listeners':
      return with_({ listeners: wanted.listeners });
    case 'upstream':
      return with_({ upstream: wanted.upstream });
  }
}

/** The modules that run, with what they are granted now. */
function granted(manifest: Manifest, wanted: Manifest): ModuleEntry[] {
  return manifest.modules.map(module => {
    const { publish = module.publish, subscribe = module.subscribe } =
      wanted.modules.find(({ name }) => name === module.name) ?? {};
    return { ...module, publish, subscribe };
  });
}

function hubSteps(current: Placed, target: Placed): Step[] {
  const [now, then] = [current.manifest, target.manifest];
  const renamed = now.name !== then.name;
  const differs: Readonly<Record<'storage' | 'access' | 'routes' | 'listeners' | 'upstream', boolean>> = {
    storage: !isDeepStrictEqual(now.storeAndForward, then.storeAndForward),
    access: !isDeepStrictEqual(accessOf(now), accessOf(then)),
    routes: renamed || !isDeepStrictEqual(routesOf(now), routesOf(then)),
    listeners: current.home !== target.home || !isDeepStrictEqual(now.listeners, then.listeners),
    upstream: renamed || !isDeepStrictEqual(now.upstream, then.upstream) || filesMoved(current, target),
  };
  return (['storage', 'access', 'routes', 'listeners', 'upstream'] as const)
    .filter(kind => differs[kind])
    .map(kind => ({ kind }));
}

/** Where the files of the upstream are: paths in them start at the manifest's folder. */
function filesMoved(current: Placed, target: Placed): boolean {
  return target.manifest.upstream?.tls !== undefined && current.home !== target.home;
}

function accessOf({ users, anonymous, modules }: Manifest): unknown {
  const grants = modules.map(({ name, publish, subscribe }) => [name, publish, subscribe]);
  return [users, anonymous, grants.sort(([one], [other]) => (String(one) < String(other) ? -1 : 1))];
}

/** Routes stand or fall with the modules and the upstream that they lead to. */
function routesOf({ dialect, routes, modules, upstream }: Manifest): unknown {
  return [dialect, routes, modules.map(({ name }) => name).sort(), upstream === undefined];
}

function moduleChanges(current: Placed, target: Placed): ModuleChange[] {
  const running = new Map(current.manifest.modules.map(module => [module.name, module]));
  const wanted = new Set(target.manifest.modules.map(({ name }) => name));
  const moved = current.home !== target.home;
  const called = !isDeepStrictEqual(moduleListener(current.manifest), moduleListener(target.manifest));
  const changes = target.manifest.modules.map((module): ModuleChange => {
    const before = running.get(module.name);
    if (before === undefined) return { module: module.name, change: 'start', fields: [] };
    const fields = differing(before, module);
    if (moved && module.bundle === undefined) fields.push('the folder of its manifest');
    if (called && module.io === 'mqtt') fields.push("the broker's address");
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
