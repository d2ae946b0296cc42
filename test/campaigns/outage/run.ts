import { outage } from './outage.ts';

/*
 * npm run outage: stops the parent hub for a minute under load, first alone, then with a SIGKILL of the hub
 * in that minute. Prints the numbers of acknowledged and lost messages. Exits with 1 if a message was lost
 * or out of order.
 */
for (const killHub of [false, true]) {
  const { acknowledged, lost, outOfOrder, repeated } = await outage({ seconds: 60, killHub });
  const what = killHub ? 'parent away, hub killed' : 'parent away';
  process.stdout.write(
    `${what}: ${acknowledged} acknowledged, ${lost} lost, ${outOfOrder} out of order, ${repeated} repeated\n`,
  );
  if (lost + outOfOrder > 0) process.exitCode = 1;
}
