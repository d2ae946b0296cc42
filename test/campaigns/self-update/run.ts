import fc from 'fast-check';
import { reasonOf } from '../../../src/core/errors.ts';
import { createSite, HANGS, pretender } from './self-update.ts';
import type { Kill } from './self-update-kills.ts';
import { killIn, namesOf, WHOLE } from './self-update-kills.ts';

/*
 * npm run self-update: a new hub that hangs is waited for as long as a device would, and hubs are killed at
 * random moments of updates.
 *   node test/campaigns/self-update/run.ts [KILLS]
 */

/** Resolves to the fault. Undefined if there is none. */
async function hang(): Promise<string | undefined> {
  const site = await createSite();
  try {
    const bytes = pretender(site.folder, 'hangs', HANGS);
    if (bytes === undefined) return 'there is no gcc to make a hub that hangs';
    await site.start();
    const file = site.manifest('new', { hub: { [process.arch]: site.hub('hangs', bytes) } });
    const began = performance.now();
    const { code, err } = await site.command('apply', file);
    const seconds = Math.round((performance.now() - began) / 1000);
    const now = await site.seen();
    process.stdout.write(`hangs: exit code ${code} after ${seconds} s: ${err}`);
    const asBefore = now.hub.binary === 'base' && namesOf(now).join() === 'old running';
    const told = err.includes('it was not healthy within 120 seconds');
    return code === 1 && told && asBefore && seconds >= 120 && seconds < 170
      ? undefined
      : JSON.stringify(now);
  } finally {
    await site.close();
  }
}

const moments = fc.record({
  after: fc.nat(WHOLE),
  whom: fc.constantFrom<Kill['whom'][]>('started', 'hub', 'all'),
  works: fc.boolean(),
});
const ends = new Map<string, number>();
for (const kill of fc.sample(moments, Number(process.argv[2] ?? 30))) {
  const end = await killIn(kill).catch((thrown: unknown) => {
    process.stdout.write(`${reasonOf(thrown)}\n`);
    process.exitCode = 1;
    return 'wrong';
  });
  ends.set(end, (ends.get(end) ?? 0) + 1);
}
process.stdout.write(`kills: ended with ${JSON.stringify(Object.fromEntries(ends))}\n`);
const wrong = await hang();
if (wrong !== undefined) {
  process.stdout.write(`hangs: ${wrong}\n`);
  process.exitCode = 1;
}
