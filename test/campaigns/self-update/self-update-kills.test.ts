import fc from 'fast-check';
import { suite } from 'uvu';
import type { Kill } from './self-update-kills.ts';
import { killIn, WHOLE } from './self-update-kills.ts';

/** Processes to kill, one kill each at a random moment; `npm run self-update` has more. */
const WHOM = ['started', 'hub', 'all'] as const;

const kills = suite('e2e: SIGKILL while the hub updates itself');

for (const whom of WHOM) {
  kills(`${whom}: it ends with the old hub and set or the new ones, and nothing is lost`, async () => {
    const moment = { after: fc.nat(WHOLE), whom: fc.constant(whom), works: fc.boolean() };
    for (const kill of fc.sample<Kill>(fc.record(moment), 1)) await killIn(kill);
  });
}

kills.run();
