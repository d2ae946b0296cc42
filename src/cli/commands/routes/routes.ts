import { argumentsOf } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { printTable } from '../../output/table.ts';
import { ROUTES } from '../../reference/routes.ts';
import { print } from '../../system.ts';

/** Lists the routes of the running hub with the number of messages that each has matched. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = argumentsOf(ROUTES, args);
  const { routes, refusedRoutes, routeWarnings } = await ask(dataFolder(values.data), 'status');
  if (values.json) {
    const running = routes.map(route => ({ ...route, state: 'running' }));
    const refused = refusedRoutes.map(route => ({ ...route, state: 'refused' }));
    print(JSON.stringify([...running, ...refused], null, 2));
    return 0;
  }
  const rows = routes.map(route => [
    route.name,
    String(route.matched),
    String(route.unmatched),
    String(route.undefined),
    String(route.errors),
    route.text,
  ]);
  for (const { name, text } of refusedRoutes) rows.push([name, '-', '-', '-', '-', `REFUSED: ${text}`]);
  printTable(['ROUTE', 'TRUE', 'FALSE', 'UNDEFINED', 'ERROR', 'TEXT'], rows);
  for (const { reason } of refusedRoutes) print(reason);
  for (const warning of routeWarnings) print(`warning: ${warning}`);
  return 0;
}
