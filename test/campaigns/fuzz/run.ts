import { randomInt } from 'node:crypto';
import { campaign, growthFaults } from './campaign.ts';
import type { Memory } from './hub.ts';

/*
 * npm run fuzz: sends mutated packets to the built binary over many connections, while an honest client
 * checks its own messages.
 *   node test/campaigns/fuzz/run.ts [PACKETS] [SEED]
 */

/**
 * Maximum growth of the anonymous memory of the hub in the second half, in bytes. Its bounded tables fill
 * during the first millions of packets.
 */
const GROWTH_BOUND = 16 << 20;

const packets = Number(process.argv[2] ?? process.env['SKERRY_FUZZ_PACKETS'] ?? 10_000_000);
const seed = Number(process.argv[3] ?? randomInt(1 << 30));
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
const sizes = ({ resident, anonymous }: Memory): string =>
  `${megabytes(resident)} / ${megabytes(anonymous)} MB`;

say(`${packets} packets, seed ${seed}`);
const report = await campaign(packets, seed, (sent, memory) => say(`${sent} sent, ${sizes(memory)}`));
const { memory, connections, seconds } = report;
say(`${report.packets} mutated packets on ${connections} connections in ${seconds.toFixed(0)} s`);
say(`${Math.round(report.packets / seconds)} packets/s`);
say(`${report.published} messages of the honest client meanwhile`);
for (const [reason, times] of report.closes.slice(0, 40)) say(`${String(times).padStart(9)} ${reason}`);
say(
  `resident / anonymous: start ${sizes(memory.start)}, first half ${sizes(memory.half)}, end ${sizes(memory.end)}`,
);
const faults = [...report.faults, ...growthFaults(memory.half, memory.end, GROWTH_BOUND)];
for (const fault of faults) say(`FAULT: ${fault}`);
say(
  `${faults.length} faults; anonymous memory may grow by ${megabytes(GROWTH_BOUND)} MB from the first half on`,
);
process.exitCode = faults.length > 0 ? 1 : 0;
