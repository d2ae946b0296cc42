import { randomInt } from 'node:crypto';
import { faultsOf, verdict } from './campaign.ts';
import { killAgain } from './repeated-kills.ts';

/*
 * Kills a process with a store under load repeatedly, and checks the content of the store.
 *
 *   node test/campaigns/queue-crash/run.ts [KILLS] [SEED]
 */
const kills = Number(process.argv[2] ?? 500);
const seed = Number(process.argv[3] ?? randomInt(1 << 30));
process.stdout.write(`${kills} kills, seed ${seed}\n`);
const result = await killAgain(kills, seed);
for (const fault of faultsOf(result)) process.stdout.write(`${fault}\n`);
process.stdout.write(`${result.checkpoints} checkpoints were made meanwhile\n`);
process.stdout.write(`${verdict(`${kills} kills`, result)}\n`);
process.exitCode = faultsOf(result).length > 0 || result.checkpoints < kills ? 1 : 0;
