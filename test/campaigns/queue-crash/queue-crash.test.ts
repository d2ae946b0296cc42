import { randomInt } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { faultsOf } from './campaign.ts';
import type { Faults } from './judge.ts';
import { createJudge } from './judge.ts';
import { killAgain } from './kill.ts';
import { lineFrom } from './report.ts';

/** `npm run crash` kills 500 times. */
const KILLS = 25;

const kills = suite('queue: kills');

kills('a killed process loses nothing that was promised, and nothing acknowledged comes back', async () => {
  const seed = randomInt(1 << 30);
  process.stdout.write(`seed ${seed}: to repeat, node test/campaigns/queue-crash/run.ts ${KILLS} ${seed}\n`);
  const result = await killAgain(KILLS, seed);
  assert.equal(faultsOf(result), []);
  assert.ok(result.promised > 100 * KILLS, `only ${result.promised} were promised`);
  assert.ok(result.checkpoints >= KILLS, `only ${result.checkpoints} checkpoints were made`);
});

const judging = suite('queue: the judge of kills');

/** Faults that the judge finds after a killed process reported `before` and the next one found `after`. */
function judged(before: readonly string[], after: readonly string[]): Partial<Faults> {
  const judge = createJudge();
  judge.hear(['opened', ...before].map(lineFrom), 0);
  judge.hear([...after, 'opened'].map(lineFrom), 100);
  return Object.fromEntries(Object.entries(judge.faults).filter(([, faults]) => faults.length > 0));
}

judging('finds nothing where all is well', () => {
  const before = [
    ...['promised 1 a:0,b:9', 'promised 2 a:9', 'leaving a 1', 'left a 1', 'leaving a 2'],
    ...[
      'promised 3 b:9',
      'refused b 3',
      'purged c 3',
      'promised 3 c:9',
      'putting x 4',
      'put x 4',
      'putting x 5',
    ],
  ];
  assert.equal(judged(before, ['entry b 9 1', 'depth b 1', 'letter b 3', 'state x 5']), {});
  assert.equal(judged(before, ['entry a 9 2', 'entry b 9 1', 'entry b 9 3', 'state x 4']), {});
});

judging('finds what is lost: entries, dead letters, settled state', () => {
  assert.equal(judged(['promised 1 a:0,b:9'], ['entry a 0 1']), { lost: ['b 1 is missing'] });
  assert.equal(judged(['promised 1 a:0', 'refused a 1'], []), { lost: ['a 1 is missing'] });
  assert.equal(judged(['purged a 1', 'promised 2 a:0'], []), { lost: ['a 2 is missing'] });
  assert.equal(judged(['putting x 1', 'put x 1', 'putting x 2', 'put x 2'], ['state x 1']), {
    lost: ['x is 1, none of 2'],
  });
  const dead = createJudge();
  for (const report of [['refused a 1', 'promised 1 a:0'], ['letter a 1', 'opened'], ['opened']]) {
    dead.hear(report.map(lineFrom), 100);
  }
  assert.equal(dead.faults.lost, ['the dead letter a 1 is missing']);
});

judging('finds what came back', () => {
  const acknowledged = ['promised 1 a:0', 'leaving a 1', 'left a 1'];
  assert.equal(judged(acknowledged, ['entry a 0 1']), { cameBack: ['a 1 was acknowledged'] });
  assert.equal(judged([...acknowledged, 'leaving a 1'], []), {
    cameBack: ['a 1 was sent again after it was acknowledged'],
  });
  assert.equal(judged(['promised 1 a:0', 'refused a 1'], ['entry a 0 1', 'letter a 1']), {
    cameBack: ['a 1 is in its queue and a dead letter'],
  });
  assert.equal(judged(['promised 1 a:0'], ['entry a 0 1', 'entry a 0 1']), {
    cameBack: ['a 1 is there twice'],
  });
  const judge = createJudge();
  for (const [at, found] of [[], [], ['entry a 0 1']].entries()) {
    judge.hear([...found, 'opened'].map(lineFrom), 100 * at);
  }
  assert.equal(judge.faults.cameBack, ['a 1 was not there at the opening before']);
});

judging('finds what is out of order, damaged, or leaks', () => {
  const promised = ['promised 1 a:9', 'promised 2 a:9', 'promised 3 a:0'];
  assert.equal(judged(promised, ['entry a 0 3', 'entry a 9 2', 'entry a 9 1']), {
    outOfOrder: ['a 1 (9) comes behind 2 (9)'],
  });
  assert.equal(judged(promised, ['entry a 9 1', 'entry a 9 2', 'entry a 0 3']), {
    outOfOrder: ['a 3 (0) comes behind 2 (9)'],
  });
  assert.equal(judged([], ['damaged a entry']), { lost: ['damaged: a entry'] });
  assert.equal(judged(['promised 1 a:9'], ['entry a 9 1', 'depth a 2']), {
    leaks: ['a says it holds 2, and holds 1'],
  });
  assert.equal(judged([], ['remaining 3 bodies', 'remaining 0 entries']), { leaks: ['3 bodies are left'] });
});

judging.run();
kills.run();
