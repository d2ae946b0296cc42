import { Failure } from '../core/errors.ts';
import { formatDiagnostic } from '../routes/diagnostics.ts';
import { compileRoute } from '../routes/route.ts';
import { ask } from './control.ts';
import { print } from './edge.ts';
import { dataFolder, flagsOf, usageFailure } from './flags.ts';
import { table } from './table.ts';

export const usage = "skerry routes [--json] [--data DIR] | skerry routes check '<route>'";

/** Lists the routes of the running hub with what they took, or checks the text of one. */
export async function run(args: readonly string[]): Promise<number> {
  const options = { json: { type: 'boolean' }, data: { type: 'string' } } as const;
  const { values, positionals } = flagsOf(args, options, usage);
  const [word, text, ...more] = positionals;
  if (word !== undefined) {
    if (word !== 'check' || text === undefined || more.length > 0)
      throw usageFailure(`"${word}" is not clear`, usage);
    return check(text);
  }
  const { routes } = await ask(dataFolder(values.data), 'status');
  if (values.json) {
    print(JSON.stringify(routes, null, 2));
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
  for (const line of table(['ROUTE', 'TRUE', 'FALSE', 'UNDEFINED', 'ERROR', 'TEXT'], rows)) print(line);
  return 0;
}

function check(text: string): number {
  const compiled = compileRoute(text);
  if ('diagnostic' in compiled) {
    throw new Failure('route.syntax', formatDiagnostic('route', text, compiled.diagnostic));
  }
  print('The route is good.');
  return 0;
}
