import { randomInt } from 'node:crypto';
import { hostileCampaign } from './campaign.ts';

/*
 * npm run hostile: clients, an upstream server, a module, web pages, a local user and files misbehave at the
 * same time, while an honest client counts and times its own messages.
 *   node test/campaigns/hostile/run.ts [SECONDS] [SEED]
 */
const seconds = Number(process.argv[2] ?? 1_800);
const seed = Number(process.argv[3] ?? randomInt(1 << 20));
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

print(`${seconds} s, seed ${seed}`);
const { published, longestMs, longestWithStealMs, files, memory, faults } = await hostileCampaign(
  seconds,
  seed,
);
print(
  `${published} messages of the honest client, the longest took ${longestMs.toFixed(0)} ms (${longestWithStealMs.toFixed(0)} ms with the time that other virtual machines had the processors)`,
);
print(`open files: start ${files.start}, most ${files.most}, end ${files.end}`);
print(
  `anonymous MB: start ${megabytes(memory.start)}, most ${megabytes(memory.most)}, end ${megabytes(memory.end)}`,
);
for (const fault of faults) print(`FAULT: ${fault}`);
print(`${faults.length === 0 ? 1 : 0} passed, ${faults.length} failed`);
process.exitCode = faults.length === 0 ? 0 : 1;
