import { Failure } from '../core/errors.ts';
import { planRoutes } from '../hub/plan.ts';
import { warningsOf } from '../hub/route-warnings.ts';
import { readManifest } from '../manifest/read.ts';
import { formatDiagnostic } from '../routes/diagnostics.ts';
import { compileRoute } from '../routes/route.ts';
import { dialectOf } from './dialect.ts';
import { print } from './edge.ts';
import { flagsOf, usageFailure } from './flags.ts';

export const usage = "skerry routes check '<route>' | <manifest.json> [--dialect skerry|azure]";

/** Compiles one route, or all of a manifest: says what is wrong with them, and where. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = flagsOf(args, { dialect: { type: 'string' } }, usage);
  const [text, ...more] = positionals;
  if (text === undefined || more.length > 0) throw usageFailure('Name one route, or one manifest', usage);
  if (text.endsWith('.json')) {
    if (values.dialect !== undefined) throw usageFailure('A manifest names its dialect itself', usage);
    return checkManifest(text);
  }
  const compiled = compileRoute(text, dialectOf(values.dialect, usage));
  if ('diagnostic' in compiled) {
    throw new Failure('route.syntax', formatDiagnostic('route', text, compiled.diagnostic));
  }
  for (const warning of compiled.route.warnings)
    print(`warning: ${formatDiagnostic('route', text, warning)}`);
  print('The route is good.');
  return 0;
}

function checkManifest(file: string): number {
  const manifest = readManifest(file);
  const { routes, refused } = planRoutes(manifest);
  for (const warning of warningsOf(manifest, routes)) print(`warning: ${warning}`);
  if (refused.length > 0) {
    throw new Failure('route.syntax', refused.map(({ reason }) => reason).join('\n'));
  }
  print(`All ${routes.length} routes are good.`);
  return 0;
}
