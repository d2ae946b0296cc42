import { killAtAll, moments } from './deploy-kills.ts';

/*
 * npm run deploy-kills: kills the hub at every step of an apply, in the health window, and at every step of a
 * rollback.
 *   node test/campaigns/deploy-kills/run.ts [ROUNDS]
 */
const rounds = Number(process.argv[2] ?? 3);
const count = { kills: 0, old: 0, new: 0, mixed: 0, lost: 0 };
for (let round = 1; round <= rounds; round += 1) {
  for (const way of ['forward', 'back'] as const) {
    for (const { moment, result, lost, faults } of await killAtAll(moments()[way], way)) {
      count.kills += 1;
      count[result] += 1;
      count.lost += lost.length;
      process.stdout.write(`round ${round}, ${way}, ${moment}: ${result}, ${lost.length} lost\n`);
      for (const fault of faults) process.stdout.write(`  ${fault}\n`);
    }
  }
}
process.stdout.write(
  `kills ${count.kills}: the old set ${count.old} times, the new one ${count.new} times, a mix ${count.mixed} times; lost ${count.lost}\n`,
);
if (count.mixed + count.lost > 0) process.exitCode = 1;
