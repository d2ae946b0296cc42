import { Failure } from '../core/errors.ts';
import type { Manifest } from '../manifest/types.ts';
import { formatDiagnostic } from '../routes/diagnostics.ts';
import type { RouteSetEntry } from '../routes/dispatcher.ts';
import { compileRoute } from '../routes/route.ts';
import type { Sink } from '../routes/tree.ts';

/** One input of a module that some route delivers to. */
export type Input = { readonly module: string; readonly input: string };

/**
 * The manifest's routes, compiled and checked against its modules and upstream.
 * @throws Failure `route.syntax`, `manifest.field`
 */
export function compileRoutes(manifest: Manifest): RouteSetEntry[] {
  return manifest.routes.map(({ name, text, priority, ttl }) => {
    const compiled = compileRoute(text);
    if ('diagnostic' in compiled) {
      throw new Failure('route.syntax', formatDiagnostic(`routes.${name}`, text, compiled.diagnostic));
    }
    checkSink(manifest, name, compiled.route.tree.sink);
    return { name, route: compiled.route, priority, ttl };
  });
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

function checkSink(manifest: Manifest, route: string, sink: Sink): void {
  if (sink.kind === 'upstream' && manifest.upstream === undefined) {
    const sentence = `routes.${route} goes INTO $upstream, but the manifest has no "upstream": add its url.`;
    throw new Failure('manifest.field', sentence);
  }
  if (sink.kind === 'input' && !manifest.modules.some(module => module.name === sink.module)) {
    const sentence = `routes.${route} goes INTO an input of module "${sink.module}", which the manifest does not have.`;
    throw new Failure('manifest.field', sentence);
  }
}
