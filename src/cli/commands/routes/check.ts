import { Failure } from '../../../core/errors.ts';
import { planRoutes } from '../../../hub/routing/route-plan.ts';
import { warningsOf } from '../../../hub/routing/route-warnings.ts';
import { readManifest } from '../../../manifest/read.ts';
import { formatDiagnostic } from '../../../routes/diagnostics.ts';
import type { Dialect } from '../../../routes/dialect.ts';
import { compileRoute } from '../../../routes/route.ts';
import { argumentsOf, usageFailure } from '../../arguments.ts';
import { ROUTES_CHECK } from '../../reference/routes.ts';
import { print } from '../../system.ts';
import { dialectOf } from './dialect.ts';

/** Compiles one route, or all routes of a manifest, and prints errors with their position. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(ROUTES_CHECK, args);
  const [text = ''] = positionals;
  if (text.endsWith('.json') && values.dialect !== undefined) {
    throw usageFailure('--dialect is for a single route: a manifest has its own "dialect"', ROUTES_CHECK);
  }
  const checked = text.endsWith('.json') ? checkManifest(text) : checkRoute(text, dialectOf(values.dialect));
  if (values.json) print(JSON.stringify(checked, null, 2));
  else {
    for (const warning of checked.warnings) print(`warning: ${warning}`);
    if (checked.errors.length === 0) print(verdictOf(checked.routes));
  }
  if (checked.errors.length === 0) return 0;
  throw new Failure('route.syntax', checked.errors.join('\n'));
}

/** Result of a check. `routes` is the number of valid routes. */
type Checked = {
  readonly routes: number;
  readonly warnings: readonly string[];
  readonly errors: readonly string[];
};

function verdictOf(routes: number): string {
  if (routes === 0) return 'There are no routes.';
  return routes === 1 ? 'The route is good.' : `All ${routes} routes are good.`;
}

function checkRoute(text: string, dialect: Dialect): Checked {
  const compiled = compileRoute(text, dialect);
  if ('diagnostic' in compiled) {
    return { routes: 0, warnings: [], errors: [formatDiagnostic('route', text, compiled.diagnostic)] };
  }
  const warnings = compiled.route.warnings.map(warning => formatDiagnostic('route', text, warning));
  return { routes: 1, warnings, errors: [] };
}

function checkManifest(file: string): Checked {
  const manifest = readManifest(file);
  const { routes, refused } = planRoutes(manifest);
  return {
    routes: routes.length,
    warnings: warningsOf(manifest, routes),
    errors: refused.map(({ reason }) => reason),
  };
}
