import { exactlyOnce } from './exactly-once.ts';

/*
 * npm run exactly-once: the hub is killed under load at QoS 2, again and again.
 *
 *   node test/e2e/exactly-once-kills.ts [KILLS]
 */
const { published, lost, twice, outOfOrder, kills, faults } = await exactlyOnce(
  Number(process.argv[2] ?? 25),
);
for (const fault of faults) process.stdout.write(`${fault}\n`);
process.stdout.write(
  `published ${published}, lost ${lost}, twice ${twice}, out of order ${outOfOrder}, kills ${kills}\n`,
);
process.exitCode = lost + twice + outOfOrder + faults.length > 0 ? 1 : 0;
