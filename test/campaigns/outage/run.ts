import { outage } from './outage.ts';

/*
 * npm run outage: the parent hub is away for a minute under load, first alone, then with SIGKILL of the hub
 * in that minute. Prints what was promised and what came; ends with 1 if a promise was broken.
 */
for (const killHub of [false, true]) {
  const { acknowledged, lost, outOfOrder, repeated } = await outage({ seconds: 60, killHub });
  const what = killHub ? 'parent away, hub killed' : 'parent away';
  process.stdout.write(
    `${what}: ${acknowledged} acknowledged, ${lost} lost, ${outOfOrder} out of order, ${repeated} repeated\n`,
  );
  if (lost + outOfOrder > 0) process.exitCode = 1;
}
