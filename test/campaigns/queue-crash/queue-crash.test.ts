import { randomInt } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { faultsOf } from './campaign.ts';
import type { Faults } from './checker.ts';
import { createChecker } from './checker.ts';
import { killAgain } from './repeated-kills.ts';
import { lineFrom } from './report.ts';

/** Number of kills. `npm run crash` has 500. */
const KILLS = 25;

const kills = suite('campaign: SIGKILL of a process with a store');

kills(
  'a store killed with SIGKILL loses no durable message and repeats no acknowledged message',
  async () => {
    const seed = randomInt(1 << 30);
    process.stdout.write(
      `seed ${seed}: to repeat, node test/campaigns/queue-crash/run.ts ${KILLS} ${seed}\n`,
    );
    const result = await killAgain(KILLS, seed);
    assert.equal(faultsOf(result), []);
    // A slow machine does less between two kills. Without messages and checkpoints the run would prove
    // nothing.
    assert.ok(result.promised > 10 * KILLS, `only ${result.promised} messages became durable`);
    assert.ok(result.checkpoints >= KILLS / 5, `only ${result.checkpoints} checkpoints were made`);
  },
);

const checks = suite('campaign: check of a store after a kill');

/** Returns the faults after a killed process has reported `before` and the next one `after`. */
function faultsAfter(before: readonly string[], after: readonly string[]): Partial<Faults> {
  const checker = createChecker();
  checker.evaluate(['opened', ...before].map(lineFrom), 0);
  checker.evaluate([...after, 'opened'].map(lineFrom), 100);
  return Object.fromEntries(Object.entries(checker.faults).filter(([, faults]) => faults.length > 0));
}

checks('the check of a killed store reports no fault for a correct store', () => {
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
  assert.equal(faultsAfter(before, ['entry b 9 1', 'depth b 1', 'letter b 3', 'state x 5']), {});
  assert.equal(faultsAfter(before, ['entry a 9 2', 'entry b 9 1', 'entry b 9 3', 'state x 4']), {});
});

checks('the check of a killed store reports lost entries, lost dead letters and lost metadata', () => {
  assert.equal(faultsAfter(['promised 1 a:0,b:9'], ['entry a 0 1']), { lost: ['b 1 is missing'] });
  assert.equal(faultsAfter(['promised 1 a:0', 'refused a 1'], []), { lost: ['a 1 is missing'] });
  assert.equal(faultsAfter(['purged a 1', 'promised 2 a:0'], []), { lost: ['a 2 is missing'] });
  assert.equal(faultsAfter(['putting x 1', 'put x 1', 'putting x 2', 'put x 2'], ['state x 1']), {
    lost: ['x is 1, none of 2'],
  });
  const dead = createChecker();
  for (const report of [['refused a 1', 'promised 1 a:0'], ['letter a 1', 'opened'], ['opened']]) {
    dead.evaluate(report.map(lineFrom), 100);
  }
  assert.equal(dead.faults.lost, ['the dead letter a 1 is missing']);
});

checks('the check of a killed store reports an acknowledged entry that is in the store again', () => {
  const acknowledged = ['promised 1 a:0', 'leaving a 1', 'left a 1'];
  assert.equal(faultsAfter(acknowledged, ['entry a 0 1']), { cameBack: ['a 1 was acknowledged'] });
  assert.equal(faultsAfter([...acknowledged, 'leaving a 1'], []), {
    cameBack: ['a 1 was sent again after it was acknowledged'],
  });
  assert.equal(faultsAfter(['promised 1 a:0', 'refused a 1'], ['entry a 0 1', 'letter a 1']), {
    cameBack: ['a 1 is in its queue and a dead letter'],
  });
  assert.equal(faultsAfter(['promised 1 a:0'], ['entry a 0 1', 'entry a 0 1']), {
    cameBack: ['a 1 is there twice'],
  });
  const checker = createChecker();
  for (const [at, found] of [[], [], ['entry a 0 1']].entries()) {
    checker.evaluate([...found, 'opened'].map(lineFrom), 100 * at);
  }
  assert.equal(checker.faults.cameBack, ['a 1 was not there at the opening before']);
});

checks(
  'the check of a killed store reports entries in wrong order, damaged entries and bodies without an entry',
  () => {
    const promised = ['promised 1 a:9', 'promised 2 a:9', 'promised 3 a:0'];
    assert.equal(faultsAfter(promised, ['entry a 0 3', 'entry a 9 2', 'entry a 9 1']), {
      outOfOrder: ['a 1 (9) comes behind 2 (9)'],
    });
    assert.equal(faultsAfter(promised, ['entry a 9 1', 'entry a 9 2', 'entry a 0 3']), {
      outOfOrder: ['a 3 (0) comes behind 2 (9)'],
    });
    assert.equal(faultsAfter([], ['damaged a entry']), { lost: ['damaged: a entry'] });
    assert.equal(faultsAfter(['promised 1 a:9'], ['entry a 9 1', 'depth a 2']), {
      leaks: ['a says it holds 2, and holds 1'],
    });
    assert.equal(faultsAfter([], ['remaining 3 bodies', 'remaining 0 entries']), {
      leaks: ['3 bodies are left'],
    });
  },
);

checks.run();
kills.run();
