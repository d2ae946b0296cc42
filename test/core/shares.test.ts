import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Shares } from '../../src/core/capacity/shares.ts';
import { createShares, holderName, LOCAL_CLIENTS } from '../../src/core/capacity/shares.ts';

function sharesOf(bound: number): Shares {
  return createShares({
    resource: 'sessions',
    plural: 'persistent sessions',
    bound: () => bound,
    remedy: 'drop some',
  });
}

/** Adds units for `holder` until a refusal. Returns the number of added units. */
function fill(shares: Shares, holder: string): number {
  let got = 0;
  for (; shares.refusal(holder, 1) === undefined; got++) shares.add(holder, 1);
  return got;
}

const shares = suite('core: shares');

shares(
  'each holder (a user, module or address) may use half of the units that other holders leave free',
  () => {
    const sessions = sharesOf(4096);
    assert.equal(
      ['user:a', 'user:b', 'address:10.0.0.1', 'user:c', 'user:d'].map(holder => fill(sessions, holder)),
      [2048, 1024, 512, 256, 128],
    );
    assert.is(fill(sessions, 'user:a'), 0);
  },
);

shares('modules may exceed a shared limit by one eighth, which is reserved for modules', () => {
  const sessions = sharesOf(800);
  assert.is(fill(sessions, LOCAL_CLIENTS), 800);
  assert.is(fill(sessions, 'user:a'), 0);
  assert.equal([fill(sessions, 'module:m'), fill(sessions, 'module:n')], [50, 25]);
});

shares('a limit of one unit gives this unit to the first holder (a user, module or address)', () => {
  const sessions = sharesOf(1);
  assert.equal([fill(sessions, 'user:a'), fill(sessions, 'user:b')], [1, 0]);
});

shares(
  'a request above a share is refused, and the user with the most units is named only in the log',
  () => {
    const sessions = sharesOf(8);
    sessions.add('user:greedy', 6);
    assert.equal(sessions.refusal('address:10.0.0.9', 2), {
      reason: 'address 10.0.0.9 may have 1 persistent sessions and has 0',
      logged:
        '6 of 8 persistent sessions are in use, most of them (6) by user "greedy"; address 10.0.0.9 may have 1 and has 0: drop some',
    });
    assert.is(holderName(LOCAL_CLIENTS), 'clients of this machine');
    assert.is(holderName('module:valve'), 'module "valve"');
  },
);

shares('after random additions and removals no user exceeds its share, and all totals are exact', () => {
  const step = fc.record({
    holder: fc.constantFrom('user:a', 'user:b', 'address:10.0.0.1', 'module:m', LOCAL_CLIENTS),
    amount: fc.integer({ min: -20, max: 20 }),
  });
  fc.assert(
    fc.property(fc.array(step), steps => {
      const BOUND = 64;
      /** Minimum by which modules may exceed the limit. */
      const RESERVE = 32;
      const one = sharesOf(BOUND);
      const held = new Map<string, number>();
      for (const { holder, amount } of steps) {
        const now = held.get(holder) ?? 0;
        if (amount < 0 ? now + amount < 0 : one.refusal(holder, amount) !== undefined) continue;
        one.add(holder, amount);
        held.set(holder, now + amount);
        const total = Array.from(held.values()).reduce((sum, each) => sum + each, 0);
        assert.equal([one.held(holder), one.report().held], [now + amount, total]);
        assert.ok(total <= BOUND + RESERVE);
        if (amount > 0 && holder !== LOCAL_CLIENTS) {
          const bound = holder.startsWith('module:') ? BOUND + RESERVE : BOUND;
          assert.ok(now + amount <= (bound + 1) / 2);
        }
      }
      assert.is(one.report().holders, Array.from(held.values()).filter(each => each > 0).length);
    }),
  );
});

shares.run();
