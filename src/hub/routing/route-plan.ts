import { Failure } from '../../core/errors.ts';
import { DEFAULT_UPSTREAM } from '../../core/message.ts';
import { closestName } from '../../core/text/closest-name.ts';
import type { Manifest } from '../../manifest/types.ts';
import { formatDiagnostic } from '../../routes/diagnostics.ts';
import type { RouteSetEntry } from '../../routes/dispatcher.ts';
import { printUpstream } from '../../routes/printer.ts';
import type { Route } from '../../routes/route.ts';
import { compileRoute } from '../../routes/route.ts';
import { upstreamSource } from '../../routes/sources.ts';
import { GOES_ROUND, goesRound } from '../../routes/syntax/parser.ts';
import type { Sink, Source } from '../../routes/tree.ts';

/** Module input to which a route delivers messages. */
export type Input = { readonly module: string; readonly input: string };

/** Route that does not run, because it is invalid. */
export type RefusedRoute = {
  readonly name: string;
  readonly text: string;
  /** Reason and correction in the first line. Further lines show the position of the error in the route. */
  readonly reason: string;
};

export type RoutePlan = {
  readonly routes: readonly RouteSetEntry[];
  readonly refused: readonly RefusedRoute[];
};

/**
 * Compiles each route of the manifest. Refuses a route that is invalid or names an unknown module or
 * upstream.
 */
export function planRoutes(manifest: Manifest): RoutePlan {
  const routes: RouteSetEntry[] = [];
  const refused: RefusedRoute[] = [];
  for (const { name, text, priority, ttl } of manifest.routes) {
    const planned = planRoute(manifest, name, text);
    if (typeof planned === 'string') refused.push({ name, text, reason: planned });
    else routes.push({ name, route: planned, priority, ttl });
  }
  return { routes, refused };
}

/**
 * Checks all routes of a manifest. Throws Failure `route.syntax` if a route is invalid. One invalid route
 * makes the whole manifest invalid.
 */
export function checkRoutes(manifest: Manifest): void {
  const [first] = planRoutes(manifest).refused;
  if (first !== undefined) throw new Failure('route.syntax', first.reason);
}

/**
 * Compiles a route and adds the names of its upstreams. Returns the reason as a text if the route is refused.
 */
function planRoute(manifest: Manifest, name: string, text: string): Route | string {
  const compiled = compileRoute(text, manifest.dialect);
  if ('diagnostic' in compiled) return formatDiagnostic(`routes.${name}`, text, compiled.diagnostic);
  const { tree } = compiled.route;
  const source = withUpstream(tree.source, manifest);
  if (typeof source === 'string') return `routes.${name} comes FROM ${source}`;
  const sink = withUpstream(tree.sink, manifest);
  if (typeof sink === 'string') return `routes.${name} goes INTO ${sink}`;
  if (goesRound(source, sink)) return `routes.${name} is invalid: ${GOES_ROUND}.`;
  const problem = moduleProblem(manifest, sink);
  if (problem !== undefined) return `routes.${name} goes INTO ${problem}`;
  return { ...compiled.route, tree: { ...tree, source, sink } };
}

/** Returns the distinct module inputs to which routes deliver messages. */
export function inputsOf(routes: readonly RouteSetEntry[]): Input[] {
  const inputs = new Map<string, Input>();
  for (const { route } of routes) {
    const { sink } = route.tree;
    if (sink.kind === 'input') inputs.set(`${sink.module}/${sink.input}`, sink);
  }
  return Array.from(inputs.values());
}

/**
 * Adds the upstream's name to a source or sink of the kind `upstream`. Returns any other source or sink
 * unchanged. Returns the reason as a text if the upstream is unknown or ambiguous.
 */
function withUpstream<Part extends Source | Sink>(part: Part, { upstreams }: Manifest): Part | string {
  if (part.kind !== 'upstream') return part;
  const written = printUpstream(part);
  const names = upstreams.map(({ name }) => name);
  const [first] = names;
  if (first === undefined) return `${written}, but the manifest has no "upstream": add its url.`;
  if (part.name !== undefined && !names.includes(part.name)) {
    const nearest = closestName(part.name, names);
    const end = nearest === undefined ? `: write ${choiceOf(names)}.` : `: did you mean "${nearest}"?`;
    return `${written}, which the manifest does not have${end}`;
  }
  const name = part.name ?? (names.length === 1 ? first : names.find(one => one === DEFAULT_UPSTREAM));
  if (name !== undefined) return { ...part, name };
  return `${written}, but the manifest has several upstreams: write ${choiceOf(names)}.`;
}

function choiceOf(names: readonly string[]): string {
  return names.map(upstreamSource).join(' or ');
}

function moduleProblem(manifest: Manifest, sink: Sink): string | undefined {
  const modules = manifest.modules.map(({ name }) => name);
  if (sink.kind !== 'input' || modules.includes(sink.module)) return undefined;
  const nearest = closestName(sink.module, modules);
  const end = nearest === undefined ? '.' : `: did you mean "${nearest}"?`;
  return `an input of module "${sink.module}", which the manifest does not have${end}`;
}
