import { ask } from './control.ts';
import { print } from './edge.ts';
import { dataFolder, flagsOf, usageFailure } from './flags.ts';
import { run as check, usage as checkUsage } from './routes-check.ts';
import { run as explain, usage as explainUsage } from './routes-explain.ts';
import { run as replay, usage as replayUsage } from './routes-replay.ts';
import { run as test, usage as testUsage } from './routes-test.ts';
import { table } from './table.ts';

const listUsage = 'skerry routes [--json] [--data DIR]';

const WORDS_USAGE = 'skerry routes [check | test | explain | replay] [--json] [--data DIR]';

export const usage: string = [listUsage, checkUsage, testUsage, explainUsage, replayUsage].join('\n  ');

type Run = (args: readonly string[]) => Promise<number>;

const WORDS: Readonly<Record<string, Run>> = { check, test, explain, replay };

/** Lists the routes of the running hub with what they took, or hands over to the command about routes. */
export async function run(args: readonly string[]): Promise<number> {
  const [word = '', ...rest] = args;
  const command = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  return command === undefined ? list(args) : command(rest);
}

async function list(args: readonly string[]): Promise<number> {
  const options = { json: { type: 'boolean' }, data: { type: 'string' } } as const;
  const { values, positionals } = flagsOf(args, options, listUsage);
  if (positionals.length > 0) throw usageFailure(`There is no "routes ${positionals[0]}"`, WORDS_USAGE);
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
  for (const line of table(['ROUTE', 'TRUE', 'FALSE', 'UNDEFINED', 'ERROR', 'TEXT'], rows)) print(line);
  for (const { reason } of refusedRoutes) print(reason);
  for (const warning of routeWarnings) print(`warning: ${warning}`);
  return 0;
}
