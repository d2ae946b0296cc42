import { durationOf } from '../../../manifest/units.ts';
import { argumentsOf, usageFailure } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { oneLine, printTable, time } from '../../output/table.ts';
import { ROUTES_REPLAY } from '../../reference/routes.ts';
import { print } from '../../system.ts';

/** Prints the messages in the queues of the running hub that a given route matches. */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(ROUTES_REPLAY, args);
  const [text = ''] = positionals;
  const since = values.since === undefined ? Number.POSITIVE_INFINITY : durationOf(values.since);
  if (since === undefined)
    throw usageFailure('--since must be a time such as "90s", "2h" or "7d"', ROUTES_REPLAY);
  const replay = await ask(dataFolder(values.data), 'routes replay', text, String(since));
  if (values.json) {
    print(JSON.stringify(replay, null, 2));
    return 0;
  }
  const { messages, verdicts, taken, cut } = replay;
  const rows = taken.map(({ waited, message }) => [
    message.topic,
    message.from,
    time(waited),
    oneLine(message.body),
  ]);
  if (rows.length > 0) printTable(['TOPIC', 'FROM', 'WAITED', 'BODY'], rows);
  const others = `false for ${verdicts.false}, undefined for ${verdicts.undefined}, an error for ${verdicts.error}`;
  print(
    `It would have taken ${verdicts.true} of ${messages} messages that wait; its condition is ${others}.`,
  );
  if (cut) print('There are more messages than were looked at.');
  return 0;
}
