import { pathOf } from '../../manifest/checks/field-path.ts';
import type { Manifest } from '../../manifest/types.ts';
import { upstreamPath } from '../../manifest/upstreams.ts';
import { formatDiagnostic } from '../../routes/diagnostics.ts';
import type { RouteSetEntry } from '../../routes/dispatcher.ts';
import { sourceMatches, upstreamSource } from '../../routes/sources.ts';
import { outputTopic } from '../queue-names.ts';

/** Connection by which a route delivers messages of one module to another module. */
type Way = { readonly route: string; readonly from: string; readonly to: string };

/**
 * Returns warnings about routes that are valid but probably not intended. Each warning begins with a
 * sentence. If the warning concerns a position in a route, further lines show the position.
 */
export function warningsOf(manifest: Manifest, routes: readonly RouteSetEntry[]): string[] {
  const own = routes.flatMap(({ name, route }) =>
    route.warnings.map(warning => formatDiagnostic(`routes.${name}`, route.text, warning)),
  );
  const cycle = cycleOf(waysOf(manifest, routes));
  const round = cycle === undefined ? [] : [cycleSentence(cycle)];
  return [...own, ...round, ...warningsOfDown(manifest, routes)];
}

/**
 * Returns warnings about upstreams. There is a warning if `down` contains topic filters, but no route comes
 * FROM the upstream. There is also a warning if a route comes FROM the upstream, but `down` is empty.
 */
function warningsOfDown(manifest: Manifest, routes: readonly RouteSetEntry[]): string[] {
  return manifest.upstreams.flatMap(({ name: upstream, down }) => {
    const takers = routes.filter(({ route: { tree } }) => {
      return tree.source.kind === 'upstream' && tree.source.name === upstream;
    });
    const from = upstreamSource(upstream);
    const field = pathOf([...upstreamPath(manifest, upstream), 'down']);
    if (down.length === 0) {
      return takers.map(
        ({ name }) =>
          `routes.${name} comes FROM ${from}, but "${field}" has no topic filter: the route matches no message.`,
      );
    }
    if (takers.length > 0) return [];
    return [
      `Messages received by "${field}" are acknowledged and discarded, because no route comes FROM ${from}: add a route.`,
    ];
  });
}

/** Returns the connections between modules that result from the routes. */
function waysOf(manifest: Manifest, routes: readonly RouteSetEntry[]): readonly Way[] {
  return routes.flatMap(({ name, route: { tree } }) => {
    const { source, sink } = tree;
    if (sink.kind !== 'input') return [];
    // Name of an output from which a module feeds the route: the output in the route's source, or any name if
    // the source accepts all outputs.
    const output = source.kind === 'path' ? (source.segments[4] ?? 'any') : 'any';
    const feeding = manifest.modules.filter(module =>
      sourceMatches(
        source,
        `/messages/modules/${module.name}/outputs/${output}`,
        outputTopic(module.name, output),
      ),
    );
    return feeding.map(module => ({ route: name, from: module.name, to: sink.module }));
  });
}

/**
 * Returns routes that form a cycle, so that messages can return to the module that sent them. Undefined if
 * there is no cycle.
 */
function cycleOf(ways: readonly Way[]): readonly Way[] | undefined {
  const done = new Set<string>();
  const walk = (module: string, walked: readonly Way[]): readonly Way[] | undefined => {
    const start = walked.findIndex(({ from }) => from === module);
    if (start >= 0) return walked.slice(start);
    if (done.has(module)) return undefined;
    for (const way of ways.filter(({ from }) => from === module)) {
      const cycle = walk(way.to, [...walked, way]);
      if (cycle !== undefined) return cycle;
    }
    done.add(module);
    return undefined;
  };
  for (const { from } of ways) {
    const cycle = walk(from, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

function cycleSentence(cycle: readonly Way[]): string {
  const [first] = cycle;
  const way = cycle.map(({ route, to }) => ` -> ${to} (routes.${route})`).join('');
  return `Messages of module ${first?.from} may return to it in a loop: ${first?.from}${way}.`;
}
