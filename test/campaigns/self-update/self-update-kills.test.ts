import fc from 'fast-check';
import { suite } from 'uvu';
import type { Kill } from './self-update-kills.ts';
import { MAX_KILL_DELAY_MS, updateWithKill } from './self-update-kills.ts';

/** Processes to kill, once each at a random moment. `npm run self-update` has more kills. */
const TARGETS = { started: 'the started process', hub: 'the current hub', all: 'all hubs' } as const;

const kills = suite('campaign: SIGKILL during a self-update');

for (const target of ['started', 'hub', 'all'] as const) {
  kills(
    `a kill of ${TARGETS[target]} during a self-update leaves the old or the new deployment and loses no message`,
    async () => {
      const moment = { after: fc.nat(MAX_KILL_DELAY_MS), target: fc.constant(target), works: fc.boolean() };
      for (const kill of fc.sample<Kill>(fc.record(moment), 1)) await updateWithKill(kill);
    },
  );
}

kills.run();
