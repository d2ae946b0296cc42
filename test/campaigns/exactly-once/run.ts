import { exactlyOnce } from './exactly-once.ts';

/*
 * npm run exactly-once: kills the hub under load at QoS 2 repeatedly, first with persistent sessions of the
 * publishers, then with clean sessions.
 *   node test/campaigns/exactly-once/run.ts [KILLS]
 */
for (const clean of [false, true]) {
  const settings = { kills: Number(process.argv[2] ?? 25), clean };
  const { published, lost, twice, outOfOrder, kills, faults } = await exactlyOnce(settings);
  for (const fault of faults) process.stdout.write(`${fault}\n`);
  const sessions = clean ? 'clean sessions' : 'persistent sessions';
  process.stdout.write(
    `${sessions}: published ${published}, lost ${lost}, twice ${twice}, out of order ${outOfOrder}, kills ${kills}\n`,
  );
  if (lost + twice + outOfOrder + faults.length > 0) process.exitCode = 1;
}
