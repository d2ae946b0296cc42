import { type ExplainedRoute, explainRoutes } from '../../../hub/control/route-control.ts';
import { sampleSubject } from '../../../hub/control/sample-message.ts';
import { planRoutes } from '../../../hub/routing/route-plan.ts';
import { readManifest } from '../../../manifest/read.ts';
import { argumentsOf, usageFailure } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { ROUTES_EXPLAIN } from '../../reference/routes.ts';
import { print } from '../../system.ts';

/** Explains why each route of the running hub, or of a manifest, matches a given message or not. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = argumentsOf(ROUTES_EXPLAIN, args);
  const { message, route = '', manifest } = values;
  if (message === undefined) throw usageFailure('--message is missing', ROUTES_EXPLAIN);
  const explained =
    manifest === undefined
      ? await ask(dataFolder(values.data), 'routes explain', message, route)
      : explainRoutes(planRoutes(readManifest(manifest)).routes, sampleSubject(message), route);
  if (values.json) print(JSON.stringify(explained, null, 2));
  else for (const one of explained) printRoute(one);
  return 0;
}

function printRoute({ name, text, takes, verdict, values }: ExplainedRoute): void {
  const outcome = verdict === 'true' ? 'takes it' : 'does not take it';
  const because = takes ? `its condition is ${verdict}` : 'its source is another';
  print(`${name} ${outcome}: ${because}`);
  print(`  ${text.replace(/\s+/g, ' ').trim()}`);
  for (const part of values) print(`${'  '.repeat(part.depth + 2)}${part.text} is ${part.value}`);
}
