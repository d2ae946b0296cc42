import { CASES } from './cases.ts';
import { SUBJECTS, taken } from './engines.ts';
import { messagesOf } from './messages.ts';

/*
 * node bench/routes/child.ts CASE SUBJECT
 *
 * Prints the nanoseconds per message: the best of several short runs after a warm-up. This process measures
 * only one subject.
 */
const RUNS = 5;
const RUN_MILLISECONDS = 120;
const BATCH = 1000;

const [caseName = '', subjectName = ''] = process.argv.slice(2);
const asked = CASES[caseName];
const subject = SUBJECTS[subjectName];
if (asked === undefined || subject === undefined)
  throw new Error(`no case ${caseName} or subject ${subjectName}`);
const evaluate = subject(asked);
const messages = messagesOf(asked.body === 'large');

/** Returns the nanoseconds per message of a run of about RUN_MILLISECONDS. */
async function runOnce(): Promise<number> {
  const begun = performance.now();
  let count = 0;
  while (performance.now() - begun < RUN_MILLISECONDS) {
    for (let at = 0; at < BATCH; at += 1) {
      const message = messages[at & 3];
      const pending = message === undefined ? undefined : evaluate(message);
      if (pending !== undefined) await pending;
    }
    count += BATCH;
  }
  return ((performance.now() - begun) * 1e6) / count;
}

await runOnce();
await runOnce();
let best = Number.POSITIVE_INFINITY;
for (let run = 0; run < RUNS; run += 1) best = Math.min(best, await runOnce());
if (taken.count === 0) throw new Error('no message was taken: the case is wrong');
process.stdout.write(`${best}\n`);
