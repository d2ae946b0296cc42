import { argumentsOf } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { millisecondsOf } from '../../output/rows.ts';
import { bytes, oneLine, printTable, time } from '../../output/table.ts';
import { SESSIONS_SHOW } from '../../reference/holders.ts';
import { print } from '../../system.ts';

/** Shows one session of the running hub. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(SESSIONS_SHOW, args);
  const [id = ''] = positionals;
  const session = await ask(dataFolder(values.data), 'sessions show', id);
  if (values.json) {
    print(JSON.stringify(session, null, 2));
    return 0;
  }
  const { filters, subscriptions } = session;
  const expiry = session.persistent ? time(millisecondsOf(session.expirySeconds)) : 'with its connection';
  const facts = [
    ['id', oneLine(session.id)],
    ['client', oneLine(session.clientId)],
    ['holder', oneLine(session.holder)],
    ['connected', session.connected ? 'yes' : 'no'],
    ['age', time(millisecondsOf(session.ageSeconds))],
    ['expires', expiry === '-' ? 'never' : expiry],
    ['waiting', `${session.waitingMessages} messages, ${bytes(session.waitingBytes)}`],
    ['oldest', time(millisecondsOf(session.oldestSeconds))],
    ['subscriptions', `${subscriptions}, counted as ${bytes(session.subscriptionBytes)}`],
  ];
  for (const [name = '', text = ''] of facts) print(`${name.padEnd(14)} ${text}`);
  const rows = filters.map(({ filter, qos }) => [String(qos), oneLine(filter)]);
  printTable(['QOS', 'FILTER'], rows);
  if (filters.length < subscriptions) print(`${filters.length} of ${subscriptions}`);
  return 0;
}
