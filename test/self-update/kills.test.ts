import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { reasonOf } from '../../src/core/errors.ts';
import type { SpawnedHub } from '../harness/binary.ts';
import type { World } from './world.ts';
import { BROKEN, commandOf, createWorld, good } from './world.ts';

/** Trials, each with up to this many kills before it is left in peace. */
const TRIALS = 4;
const KILLS = 3;

/** Milliseconds that a hub takes to be good, and within which a kill comes. */
const TAKES = 700;
const WITHIN = 2_500;

const kills = suite<{ world: World }>('update: SIGKILL at any moment', { world: createWorld() });

kills.before.each(async context => {
  await context.world.close();
  context.world = createWorld();
});
kills.after(({ world }) => world.close());

const pidIn = (line: string): number => Number(line.split(' ')[0]);

const SLOWLY_GOOD = good(0, `await new Promise(done => setTimeout(done, ${TAKES}));`);

/** The hubs of this world that live: those that noted themselves. */
function alive({ ran }: World): number[] {
  const pids = new Set(ran().map(pidIn));
  return [...pids].filter(pid => commandOf(pid)?.includes('up') === true);
}

/** Looks, for `milliseconds` or until `done`, that there never are two hubs. */
async function watchOver(world: World, milliseconds: number, done = (): boolean => false): Promise<void> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end && !done()) {
    assert.ok(alive(world).length <= 1, `two hubs: ${alive(world)}`);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

type Kill = { readonly after: number; readonly whom: 'guard' | 'hub' | 'both' };

async function strike(world: World, start: SpawnedHub, { after, whom }: Kill): Promise<void> {
  await watchOver(world, after);
  if (whom !== 'guard') for (const pid of alive(world)) process.kill(pid, 'SIGKILL');
  if (whom !== 'hub') await start.end('SIGKILL');
}

/** True if the hub of `start` is the old one or has confirmed itself. Ignores the lines of `before`. */
function isUp(world: World, start: SpawnedHub, before: readonly number[]): boolean {
  const own = world.ran().filter(line => !before.includes(pidIn(line)));
  return start.log().includes(' listens on ') || own.some(line => line.endsWith(' good'));
}

async function run(world: World, script: string, struck: readonly Kill[]): Promise<void> {
  await world.onTrial(script);
  for (const kill of struck) {
    const start = world.start();
    await strike(world, start, kill);
    await start.end('SIGKILL');
  }
  const before = world.ran().map(pidIn);
  const last = world.start();
  await watchOver(world, 30_000, () => isUp(world, last, before));
  assert.ok(isUp(world, last, before), `stuck: ${last.log()} ${JSON.stringify(world.noted())}`);
  const { trial, returned, current } = world.noted();
  assert.is(trial, undefined);
  assert.is(current === 'base', returned !== undefined);
  if (script === BROKEN) assert.is(current, 'base');
  await last.end();
  assert.equal(alive(world), []);
  assert.not(readdirSync(world.places.folder).some(name => name.endsWith('.new')));
}

const moments = fc.array(
  fc.record({ after: fc.nat(WITHIN), whom: fc.constantFrom<Kill['whom'][]>('guard', 'hub', 'both') }),
  { minLength: 1, maxLength: KILLS },
);

for (const [what, script] of Object.entries({ 'that is good': SLOWLY_GOOD, 'that is broken': BROKEN })) {
  kills(
    `a trial of a hub ${what} ends as good or returned, never stuck, never with two hubs`,
    async context => {
      for (const [index, struck] of fc.sample(moments, TRIALS).entries()) {
        await context.world.close();
        context.world = createWorld();
        await run(context.world, script, struck).catch((thrown: unknown) => {
          throw new Error(`Trial ${index}, ${JSON.stringify(struck)}: ${reasonOf(thrown)}`);
        });
      }
    },
  );
}

kills.run();
