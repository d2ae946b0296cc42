import { randomInt } from 'node:crypto';
import { campaign, GROWTH_BOUND } from './campaign.ts';
import type { Memory } from './hub.ts';

/*
 * npm run fuzz: sends mutated packets to the built binary over many connections, while an honest client counts its own.
 *
 *   node test/fuzz/run.ts [PACKETS] [SEED]
 */
const packets = Number(process.argv[2] ?? process.env['SKERRY_FUZZ_PACKETS'] ?? 10_000_000);
const seed = Number(process.argv[3] ?? randomInt(1 << 30));
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
const sizes = ({ resident, anonymous }: Memory): string =>
  `${megabytes(resident)} / ${megabytes(anonymous)} MB`;

say(`${packets} packets, seed ${seed}`);
const report = await campaign(packets, seed, sent => say(`${sent} sent`));
const { memory, connections, seconds } = report;
say(`${report.packets} mutated packets on ${connections} connections in ${seconds.toFixed(0)} s`);
say(`${Math.round(report.packets / seconds)} packets/s`);
say(`${report.published} messages of the honest client meanwhile`);
for (const [reason, times] of report.closes.slice(0, 40)) say(`${String(times).padStart(9)} ${reason}`);
say(
  `resident / anonymous: start ${sizes(memory.start)}, first tenth ${sizes(memory.tenth)}, end ${sizes(memory.end)}`,
);
for (const fault of report.faults) say(`FAULT: ${fault}`);
say(`${report.faults.length} faults; memory may grow by ${megabytes(GROWTH_BOUND)} MB`);
process.exitCode = report.faults.length > 0 ? 1 : 0;
