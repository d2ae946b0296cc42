import { Failure } from '../core/errors.ts';
import { nearestName } from '../core/nearest.ts';
import type { Manifest } from '../manifest/types.ts';
import { formatDiagnostic } from '../routes/diagnostics.ts';
import type { RouteSetEntry } from '../routes/dispatcher.ts';
import { compileRoute } from '../routes/route.ts';
import type { Sink, Source } from '../routes/tree.ts';

/** One input of a module that some route delivers to. */
export type Input = { readonly module: string; readonly input: string };

/** A route that is not run: the others are. */
export type RefusedRoute = {
  readonly name: string;
  readonly text: string;
  /** What is wrong with it, where, and what to write; the place is shown on lines of their own. */
  readonly reason: string;
};

export type RoutePlan = {
  readonly routes: readonly RouteSetEntry[];
  readonly refused: readonly RefusedRoute[];
};

/** The manifest's routes, each compiled and checked against its modules and upstream for itself. */
export function planRoutes(manifest: Manifest): RoutePlan {
  const routes: RouteSetEntry[] = [];
  const refused: RefusedRoute[] = [];
  for (const { name, text, priority, ttl } of manifest.routes) {
    const compiled = compileRoute(text, manifest.dialect);
    const reason =
      'diagnostic' in compiled
        ? formatDiagnostic(`routes.${name}`, text, compiled.diagnostic)
        : (sourceProblem(manifest, name, compiled.route.tree.source) ??
          sinkProblem(manifest, name, compiled.route.tree.sink));
    if (reason !== undefined) refused.push({ name, text, reason });
    else if ('route' in compiled) routes.push({ name, route: compiled.route, priority, ttl });
  }
  return { routes, refused };
}

/** Refuses a manifest with a wrong route, since a deployment applies as a whole. Failure `route.syntax`. */
export function checkRoutes(manifest: Manifest): void {
  const [first] = planRoutes(manifest).refused;
  if (first !== undefined) throw new Failure('route.syntax', first.reason);
}

/** The module inputs that routes deliver to, each once. */
export function inputsOf(routes: readonly RouteSetEntry[]): Input[] {
  const inputs = new Map<string, Input>();
  for (const { route } of routes) {
    const { sink } = route.tree;
    if (sink.kind === 'input') inputs.set(`${sink.module}/${sink.input}`, sink);
  }
  return Array.from(inputs.values());
}

function sourceProblem(manifest: Manifest, route: string, source: Source): string | undefined {
  if (source.kind !== 'upstream' || manifest.upstream !== undefined) return undefined;
  return `routes.${route} comes FROM $upstream, but the manifest has no "upstream": add its url.`;
}

function sinkProblem(manifest: Manifest, route: string, sink: Sink): string | undefined {
  if (sink.kind === 'upstream' && manifest.upstream === undefined) {
    return `routes.${route} goes INTO $upstream, but the manifest has no "upstream": add its url.`;
  }
  const modules = manifest.modules.map(({ name }) => name);
  if (sink.kind === 'input' && !modules.includes(sink.module)) {
    const nearest = nearestName(sink.module, modules);
    const end = nearest === undefined ? '.' : `: did you mean "${nearest}"?`;
    return `routes.${route} goes INTO an input of module "${sink.module}", which the manifest does not have${end}`;
  }
  return undefined;
}
