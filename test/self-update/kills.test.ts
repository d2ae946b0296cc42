import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { reasonOf } from '../../src/core/errors.ts';
import type { SpawnedHub } from '../harness/binary.ts';
import type { UpdateHarness } from './update-harness.ts';
import { commandOf, createUpdateHarness, FAILING, healthyHub } from './update-harness.ts';

/** Trials of each hub. */
const TRIALS = 4;

/** Maximum number of kills in one trial. */
const MAX_KILLS = 3;

/** Milliseconds from the start of a hub until it confirms itself. */
const START_MS = 700;

/** Maximum milliseconds from a start to a kill. */
const MAX_KILL_DELAY_MS = 2_500;

const kills = suite<{ harness: UpdateHarness }>('self-update: SIGKILL during a trial', {
  harness: createUpdateHarness(),
});

kills.before.each(async context => {
  await context.harness.close();
  context.harness = createUpdateHarness();
});
kills.after(({ harness }) => harness.close());

const pidIn = (line: string): number => Number(line.split(' ')[0]);

const SLOWLY_HEALTHY = healthyHub(0, `await new Promise(done => setTimeout(done, ${START_MS}));`);

/** Pids of the running hubs that have recorded themselves. */
function runningHubs({ recorded }: UpdateHarness): number[] {
  const pids = new Set(recorded().map(pidIn));
  return [...pids].filter(pid => commandOf(pid)?.includes('up') === true);
}

/** Asserts for `milliseconds`, or until `done` returns true, that at most one hub runs. */
async function assertSingleHub(
  harness: UpdateHarness,
  milliseconds: number,
  done = (): boolean => false,
): Promise<void> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end && !done()) {
    assert.ok(runningHubs(harness).length <= 1, `two hubs: ${runningHubs(harness)}`);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

type Kill = { readonly after: number; readonly target: 'watchdog' | 'hub' | 'both' };

async function killAfter(harness: UpdateHarness, start: SpawnedHub, { after, target }: Kill): Promise<void> {
  await assertSingleHub(harness, after);
  if (target !== 'watchdog') for (const pid of runningHubs(harness)) process.kill(pid, 'SIGKILL');
  if (target !== 'hub') await start.end('SIGKILL');
}

/** True if the old hub listens or a hub whose pid is not in `before` has confirmed itself. */
function isUp(harness: UpdateHarness, start: SpawnedHub, before: readonly number[]): boolean {
  const own = harness.recorded().filter(line => !before.includes(pidIn(line)));
  return start.log().includes(' listens on ') || own.some(line => line.endsWith(' good'));
}

async function run(harness: UpdateHarness, script: string, plan: readonly Kill[]): Promise<void> {
  await harness.onTrial(script);
  for (const kill of plan) {
    const start = harness.start();
    await killAfter(harness, start, kill);
    await start.end('SIGKILL');
  }
  const before = harness.recorded().map(pidIn);
  const last = harness.start();
  await assertSingleHub(harness, 30_000, () => isUp(harness, last, before));
  assert.ok(isUp(harness, last, before), `stuck: ${last.log()} ${JSON.stringify(harness.readState())}`);
  const { trial, returned, current } = harness.readState();
  assert.is(trial, undefined);
  assert.is(current === 'base', returned !== undefined);
  if (script === FAILING) assert.is(current, 'base');
  await last.end();
  assert.equal(runningHubs(harness), []);
  assert.not(readdirSync(harness.paths.folder).some(name => name.endsWith('.new')));
}

const moments = fc.array(
  fc.record({
    after: fc.nat(MAX_KILL_DELAY_MS),
    target: fc.constantFrom<Kill['target'][]>('watchdog', 'hub', 'both'),
  }),
  { minLength: 1, maxLength: MAX_KILLS },
);

for (const [what, script] of Object.entries({ 'a healthy hub': SLOWLY_HEALTHY, 'a failing hub': FAILING })) {
  kills(
    `a trial of ${what} ends as confirmed or rolled back, also if its processes are killed`,
    async context => {
      for (const [index, plan] of fc.sample(moments, TRIALS).entries()) {
        await context.harness.close();
        context.harness = createUpdateHarness();
        await run(context.harness, script, plan).catch((thrown: unknown) => {
          throw new Error(`Trial ${index}, ${JSON.stringify(plan)}: ${reasonOf(thrown)}`);
        });
      }
    },
  );
}

kills.run();
