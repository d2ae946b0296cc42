import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { LifecycleEvent } from '../../src/supervisor/lifecycle.ts';
import { isSteady, stepOf } from '../../src/supervisor/lifecycle.ts';
import type { ModuleState } from '../../src/supervisor/spec.ts';

const STATES: readonly ModuleState[] = [
  'stopped',
  'starting',
  'running',
  'ready',
  'failing',
  'stopping',
  'killing',
  'restarting',
  'waiting',
  'failed',
  'ended',
];

const ASKED: readonly LifecycleEvent[] = ['start', 'stop', 'restart'];
const EVENTS: readonly LifecycleEvent[] = [
  ...ASKED,
  'spawned',
  'refused',
  'again',
  'done',
  'broken',
  'well',
  'unwell',
  'unhealthy',
  'late',
  'due',
];

/** Every state and event; a pair that is not here cannot happen. */
const TABLE = `
  stopped    start   -> starting spawn
  stopped    stop    -> stopped none
  stopped    restart -> starting spawn
  starting   start   -> starting none
  starting   stop    -> stopping none
  starting   restart -> starting none
  starting   spawned -> running rest
  starting   refused -> failed rest
  starting   again   -> waiting wait
  starting   broken  -> failed rest
  running    start   -> running none
  running    stop    -> stopping signal
  running    restart -> restarting signal
  running    again   -> waiting wait
  running    done    -> ended rest
  running    broken  -> failed rest
  running    well    -> ready none
  running    unwell  -> running none
  running    unhealthy -> failing signal
  ready      start   -> ready none
  ready      stop    -> stopping signal
  ready      restart -> restarting signal
  ready      again   -> waiting wait
  ready      done    -> ended rest
  ready      broken  -> failed rest
  ready      unwell  -> running none
  ready      unhealthy -> failing signal
  failing    start   -> restarting none
  failing    stop    -> stopping none
  failing    restart -> restarting none
  failing    again   -> waiting wait
  failing    done    -> waiting wait
  failing    broken  -> waiting wait
  failing    late    -> failing kill
  stopping   start   -> restarting none
  stopping   stop    -> stopping none
  stopping   restart -> restarting none
  stopping   spawned -> stopping signal
  stopping   refused -> stopped rest
  stopping   again   -> stopped rest
  stopping   done    -> stopped rest
  stopping   broken  -> stopped rest
  stopping   late    -> killing kill
  killing    start   -> restarting none
  killing    stop    -> killing none
  killing    restart -> restarting none
  killing    again   -> stopped rest
  killing    done    -> stopped rest
  killing    broken  -> stopped rest
  restarting start   -> restarting none
  restarting stop    -> stopping none
  restarting restart -> restarting none
  restarting spawned -> running rest
  restarting refused -> failed rest
  restarting again   -> starting spawn
  restarting done    -> starting spawn
  restarting broken  -> starting spawn
  restarting late    -> restarting kill
  waiting    start   -> starting spawn
  waiting    stop    -> stopped rest
  waiting    restart -> starting spawn
  waiting    due     -> starting spawn
  failed     start   -> starting spawn
  failed     stop    -> stopped none
  failed     restart -> starting spawn
  ended      start   -> starting spawn
  ended      stop    -> stopped none
  ended      restart -> starting spawn
`;

const test = suite('lifecycle');

test('every pair of state and event does what the table says, or cannot happen', () => {
  const rows = TABLE.trim()
    .split('\n')
    .map(row => row.trim().split(/\s+(?:-> )?/));
  const expected = new Map(
    rows.map(([state, event, next, action]) => [`${state} ${event}`, { next, action }]),
  );
  for (const state of STATES) {
    for (const event of EVENTS) {
      const row = expected.get(`${state} ${event}`);
      if (row === undefined) assert.throws(() => stepOf(state, event), /cannot meet/);
      else assert.equal(stepOf(state, event), row, `${state} ${event}`);
    }
  }
});

/** The world around the table: what its actions begin, and so which events may come next. */
type World = {
  state: ModuleState;
  process: 'none' | 'spawning' | 'alive' | 'killed';
  timer: 'none' | 'grace' | 'wait';
};

function possible({ state, process, timer }: World): LifecycleEvent[] {
  const events = [...ASKED];
  if (state === 'running') events.push('well', 'unwell', 'unhealthy');
  if (state === 'ready') events.push('unwell', 'unhealthy');
  if (process === 'spawning') events.push('spawned', 'refused', 'again', 'broken');
  if (process === 'alive' || process === 'killed') events.push('again', 'done', 'broken');
  if (timer === 'grace') events.push('late');
  if (timer === 'wait') events.push('due');
  return events;
}

function live(world: World, event: LifecycleEvent): void {
  if (event === 'spawned') world.process = 'alive';
  if (event === 'refused' || event === 'again' || event === 'done' || event === 'broken')
    world.process = 'none';
  if (event === 'late' || event === 'due') world.timer = 'none';
  const { next, action } = stepOf(world.state, event);
  world.state = next;
  if (action === 'spawn') {
    assert.is(world.process, 'none', 'never two processes of one module');
    world.process = 'spawning';
    world.timer = 'none';
  }
  if (action === 'signal' || action === 'kill')
    assert.is(world.process, 'alive', 'only what lives is signalled');
  if (action === 'signal') world.timer = 'grace';
  if (action === 'kill') world.process = 'killed';
  if (action === 'wait') world.timer = 'wait';
  if (action === 'rest') world.timer = 'none';
}

const walk = fc.array(fc.nat(), { maxLength: 60 });

test('whatever happens in whatever order, the table has an answer and loses neither process nor timer', () => {
  fc.assert(
    fc.property(walk, choices => {
      const world: World = { state: 'stopped', process: 'none', timer: 'none' };
      for (const choice of choices) {
        const events = possible(world);
        live(world, events[choice % events.length] ?? 'stop');
        const { state, process, timer } = world;
        const lives = state === 'running' || state === 'ready';
        assert.is(process === 'none', isSteady(state) && !lives, `${state} with ${process}`);
        assert.is(timer === 'wait', state === 'waiting', `${state} with timer ${timer}`);
        if (isSteady(state)) assert.is.not(timer, 'grace', `${state} with a grace`);
        if (state === 'stopping' && process === 'alive') assert.is(timer, 'grace', 'a stop always ends');
      }
    }),
    { numRuns: 2_000 },
  );
});

test('after stop, nothing but being asked starts a process again', () => {
  fc.assert(
    fc.property(walk, walk, (before, after) => {
      const world: World = { state: 'stopped', process: 'none', timer: 'none' };
      for (const choice of before) {
        const events = possible(world);
        live(world, events[choice % events.length] ?? 'stop');
      }
      live(world, 'stop');
      for (const choice of after) {
        const events = possible(world).filter(event => event !== 'start' && event !== 'restart');
        live(world, events[choice % events.length] ?? 'stop');
        assert.ok(['stopping', 'killing', 'stopped'].includes(world.state), world.state);
      }
    }),
    { numRuns: 1_000 },
  );
});

test.run();
