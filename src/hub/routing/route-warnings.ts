import { pathOf } from '../../manifest/checks/field-path.ts';
import type { Manifest } from '../../manifest/types.ts';
import { upstreamPath } from '../../manifest/upstreams.ts';
import { formatDiagnostic } from '../../routes/diagnostics.ts';
import type { RouteSetEntry } from '../../routes/dispatcher.ts';
import { sourceMatches, upstreamSource } from '../../routes/sources.ts';
import { outputTopic } from '../queue-names.ts';

/** Connection from one module to another by a route. */
type Way = { readonly route: string; readonly from: string; readonly to: string };

/**
 * Warnings about routes that are valid but probably not intended. A warning has one sentence, and its
 * position if there is one.
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
 * Warns if only one of the two settings for downstream messages exists: subscribed topics, and routes from
 * the upstream.
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
        ({ name }) => `routes.${name} comes FROM ${from}, but "${field}" names no topics: nothing comes.`,
      );
    }
    if (takers.length > 0) return [];
    return [
      `What "${field}" brings here is acknowledged and forgotten: no route comes FROM ${from} to take it.`,
    ];
  });
}

/** Connections between modules by each route. */
function waysOf(manifest: Manifest, routes: readonly RouteSetEntry[]): readonly Way[] {
  return routes.flatMap(({ name, route: { tree } }) => {
    const { source, sink } = tree;
    if (sink.kind !== 'input') return [];
    // A route that names an output is tested with that output, any other route with a placeholder.
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

/** Cycle of connections, if there is one. */
function cycleOf(ways: readonly Way[]): readonly Way[] | undefined {
  const done = new Set<string>();
  const walk = (module: string, walked: readonly Way[]): readonly Way[] | undefined => {
    const begun = walked.findIndex(({ from }) => from === module);
    if (begun >= 0) return walked.slice(begun);
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
  return `Messages of module ${first?.from} may come back to it, and go round: ${first?.from}${way}.`;
}
