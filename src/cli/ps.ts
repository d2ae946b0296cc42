import { ask } from './control.ts';
import { print } from './edge.ts';
import { dataFolder, flagsOf } from './flags.ts';
import { troublesOf } from './store-trouble.ts';
import { table, time } from './table.ts';

export const usage = 'skerry ps [--json] [--data DIR]';

/** Lists the modules and the upstream of the running hub. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = flagsOf(args, { json: { type: 'boolean' }, data: { type: 'string' } }, usage);
  const status = await ask(dataFolder(values.data), 'status');
  if (values.json) {
    print(JSON.stringify(status, null, 2));
    return 0;
  }
  const rows = status.modules.map(({ name, state, pid, uptime, restarts, lastExit }) => [
    name,
    state,
    pid === undefined ? '-' : String(pid),
    time(uptime),
    String(restarts),
    lastExit ?? '-',
  ]);
  for (const line of table(['MODULE', 'STATE', 'PID', 'UPTIME', 'RESTARTS', 'LAST EXIT'], rows)) print(line);
  const { upstream } = status;
  if (upstream !== undefined) {
    const error = upstream.lastError === undefined ? '' : ` (${upstream.lastError})`;
    print(`upstream ${upstream.address}: ${upstream.state}, ${upstream.delivered} delivered${error}`);
  }
  for (const trouble of troublesOf(status.store)) print(trouble);
  return 0;
}
