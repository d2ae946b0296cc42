import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { LetterRef } from '../../../src/queue/delivery/letter-shares.ts';
import { createLetterShares } from '../../../src/queue/delivery/letter-shares.ts';
import { DEAD_LETTER_COST_BYTES } from '../../../src/queue/limits.ts';

const HOLDERS = ['a', 'b', 'c', 'd'];
const BOUND = 40 * DEAD_LETTER_COST_BYTES;

function costOf(letters: readonly LetterRef[]): number {
  return letters.reduce((sum, { bytes }) => sum + bytes + DEAD_LETTER_COST_BYTES, 0);
}

/** Returns the largest cost of dead letters with the same `key`. */
function largest(letters: readonly LetterRef[], key: 'holder' | 'queue'): number {
  const groups = Map.groupBy(letters, letter => letter[key]);
  return Math.max(...Array.from(groups.values(), costOf));
}

/** Asserts that `loser` is the oldest dead letter in the largest queue of the largest holder. */
function assertLargest(letters: readonly LetterRef[], loser: LetterRef): void {
  const ofHolder = letters.filter(({ holder }) => holder === loser.holder);
  const ofQueue = ofHolder.filter(({ queue }) => queue === loser.queue);
  assert.is(costOf(ofHolder), largest(letters, 'holder'));
  assert.is(costOf(ofQueue), largest(ofHolder, 'queue'));
  assert.is(ofQueue[0], loser);
}

const step = fc.record({
  holder: fc.constantFrom('a', 'a', 'a', ...HOLDERS),
  queue: fc.nat(2),
  bytes: fc.nat(2 * DEAD_LETTER_COST_BYTES),
  /** Index of a dead letter to drop. */
  drop: fc.option(fc.nat(40), { freq: 4, nil: undefined }),
});

const shares = suite('queue: shares of dead letters');

shares(
  'at the limit of dead letters, the user with the most dead letters loses the oldest one of its largest queue',
  () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), steps => {
        const counted = createLetterShares();
        let letters: LetterRef[] = [];
        const remove = (letter: LetterRef): void => {
          counted.remove(letter);
          letters = letters.filter(one => one !== letter);
        };
        for (const [n, { holder, queue, bytes, drop }] of steps.entries()) {
          const letter = { id: String(n), name: '', holder, queue: holder + queue, bytes };
          counted.add(letter);
          letters.push(letter);
          const dropped = drop === undefined ? undefined : letters[drop];
          if (dropped !== undefined) remove(dropped);
          while (costOf(letters) > BOUND) {
            const loser = counted.oldestOfLargest();
            if (loser === undefined) throw new Error('There is a dead letter, but none can be deleted.');
            assertLargest(letters, loser);
            const before = costOf(letters.filter(one => one.holder === loser.holder));
            assert.ok(before > BOUND / HOLDERS.length, 'a holder within its share lost a dead letter');
            remove(loser);
          }
        }
        for (let loser = counted.oldestOfLargest(); loser !== undefined; loser = counted.oldestOfLargest()) {
          assertLargest(letters, loser);
          remove(loser);
        }
        assert.equal(letters, []);
      }),
    );
  },
);

shares.run();
