import fc from 'fast-check';
import { reasonOf } from '../../../src/core/errors.ts';
import { compileFakeHub, createUpdatableDevice, HANGS } from './self-update.ts';
import type { Kill } from './self-update-kills.ts';
import { MAX_KILL_DELAY_MS, moduleStates, updateWithKill } from './self-update-kills.ts';

/*
 * npm run self-update: waits for the full time limit of a new hub that hangs, and kills hubs at
 * random moments of updates.
 *   node test/campaigns/self-update/run.ts [KILLS]
 */

/** Applies a hub that hangs. Resolves to the fault, or to undefined. */
async function hang(): Promise<string | undefined> {
  const device = await createUpdatableDevice();
  try {
    const bytes = compileFakeHub(device.folder, 'hangs', HANGS);
    if (bytes === undefined) return 'gcc is not installed, which compiles a hub that hangs';
    await device.start();
    const file = device.manifest('new', { hub: { [process.arch]: device.hub('hangs', bytes) } });
    const began = performance.now();
    const { code, err } = await device.command('apply', file);
    const seconds = Math.round((performance.now() - began) / 1000);
    const now = await device.status();
    process.stdout.write(`hangs: exit code ${code} after ${seconds} s: ${err}`);
    const asBefore = now.hub.binary === 'base' && moduleStates(now).join() === 'old running';
    const told = err.includes('it was not healthy within 120 seconds');
    return code === 1 && told && asBefore && seconds >= 120 && seconds < 170
      ? undefined
      : JSON.stringify(now);
  } finally {
    await device.close();
  }
}

const moments = fc.record({
  after: fc.nat(MAX_KILL_DELAY_MS),
  target: fc.constantFrom<Kill['target'][]>('started', 'hub', 'all'),
  works: fc.boolean(),
});
const ends = new Map<string, number>();
for (const kill of fc.sample(moments, Number(process.argv[2] ?? 30))) {
  const end = await updateWithKill(kill).catch((thrown: unknown) => {
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
