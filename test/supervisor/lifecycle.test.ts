import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { LifecycleEvent } from '../../src/supervisor/lifecycle.ts';
import { isSteady, transition } from '../../src/supervisor/lifecycle.ts';
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
  'startFailed',
  'exitRestart',
  'exitOk',
  'exitFailed',
  'healthy',
  'unhealthy',
  'unhealthyRestart',
  'stopTimeout',
  'backoffOver',
];

/** Transition of every state and event. Pairs that are not listed cannot occur. */
const TABLE = `
  stopped    start            -> starting spawn
  stopped    stop             -> stopped none
  stopped    restart          -> starting spawn
  starting   start            -> starting none
  starting   stop             -> stopping none
  starting   restart          -> starting none
  starting   spawned          -> running cancelTimer
  starting   startFailed      -> failed cancelTimer
  starting   exitRestart      -> waiting backOff
  starting   exitFailed       -> failed cancelTimer
  running    start            -> running none
  running    stop             -> stopping signal
  running    restart          -> restarting signal
  running    exitRestart      -> waiting backOff
  running    exitOk           -> ended cancelTimer
  running    exitFailed       -> failed cancelTimer
  running    healthy          -> ready none
  running    unhealthy        -> running none
  running    unhealthyRestart -> failing signal
  ready      start            -> ready none
  ready      stop             -> stopping signal
  ready      restart          -> restarting signal
  ready      exitRestart      -> waiting backOff
  ready      exitOk           -> ended cancelTimer
  ready      exitFailed       -> failed cancelTimer
  ready      unhealthy        -> running none
  ready      unhealthyRestart -> failing signal
  failing    start            -> restarting none
  failing    stop             -> stopping none
  failing    restart          -> restarting none
  failing    exitRestart      -> waiting backOff
  failing    exitOk           -> waiting backOff
  failing    exitFailed       -> waiting backOff
  failing    stopTimeout      -> failing kill
  stopping   start            -> restarting none
  stopping   stop             -> stopping none
  stopping   restart          -> restarting none
  stopping   spawned          -> stopping signal
  stopping   startFailed      -> stopped cancelTimer
  stopping   exitRestart      -> stopped cancelTimer
  stopping   exitOk           -> stopped cancelTimer
  stopping   exitFailed       -> stopped cancelTimer
  stopping   stopTimeout      -> killing kill
  killing    start            -> restarting none
  killing    stop             -> killing none
  killing    restart          -> restarting none
  killing    exitRestart      -> stopped cancelTimer
  killing    exitOk           -> stopped cancelTimer
  killing    exitFailed       -> stopped cancelTimer
  restarting start            -> restarting none
  restarting stop             -> stopping none
  restarting restart          -> restarting none
  restarting spawned          -> running cancelTimer
  restarting startFailed      -> failed cancelTimer
  restarting exitRestart      -> starting spawn
  restarting exitOk           -> starting spawn
  restarting exitFailed       -> starting spawn
  restarting stopTimeout      -> restarting kill
  waiting    start            -> starting spawn
  waiting    stop             -> stopped cancelTimer
  waiting    restart          -> starting spawn
  waiting    backoffOver      -> starting spawn
  failed     start            -> starting spawn
  failed     stop             -> stopped none
  failed     restart          -> starting spawn
  ended      start            -> starting spawn
  ended      stop             -> stopped none
  ended      restart          -> starting spawn
`;

const test = suite('supervisor: state machine of a module');

test('every pair of module state and event has the transition of the table or throws', () => {
  const rows = TABLE.trim()
    .split('\n')
    .map(row => row.trim().split(/\s+(?:-> )?/));
  const expected = new Map(
    rows.map(([state, event, next, action]) => [`${state} ${event}`, { next, action }]),
  );
  for (const state of STATES) {
    for (const event of EVENTS) {
      const row = expected.get(`${state} ${event}`);
      if (row === undefined) assert.throws(() => transition(state, event), /cannot occur/);
      else assert.equal(transition(state, event), row, `${state} ${event}`);
    }
  }
});

/** Environment of the state machine: the effects of its actions, and so the possible next events. */
type Environment = {
  state: ModuleState;
  process: 'none' | 'spawning' | 'alive' | 'killed';
  timer: 'none' | 'grace' | 'wait';
};

function possible({ state, process, timer }: Environment): LifecycleEvent[] {
  const events = [...ASKED];
  if (state === 'running') events.push('healthy', 'unhealthy', 'unhealthyRestart');
  if (state === 'ready') events.push('unhealthy', 'unhealthyRestart');
  if (process === 'spawning') events.push('spawned', 'startFailed', 'exitRestart', 'exitFailed');
  if (process === 'alive' || process === 'killed') events.push('exitRestart', 'exitOk', 'exitFailed');
  if (timer === 'grace') events.push('stopTimeout');
  if (timer === 'wait') events.push('backoffOver');
  return events;
}

function applyEvent(environment: Environment, event: LifecycleEvent): void {
  if (event === 'spawned') environment.process = 'alive';
  if (event === 'startFailed' || event === 'exitRestart' || event === 'exitOk' || event === 'exitFailed')
    environment.process = 'none';
  if (event === 'stopTimeout' || event === 'backoffOver') environment.timer = 'none';
  const { next, action } = transition(environment.state, event);
  environment.state = next;
  if (action === 'spawn') {
    assert.is(environment.process, 'none', 'never two processes of one module');
    environment.process = 'spawning';
    environment.timer = 'none';
  }
  if (action === 'signal' || action === 'kill')
    assert.is(environment.process, 'alive', 'only a living process is signalled');
  if (action === 'signal') environment.timer = 'grace';
  if (action === 'kill') environment.process = 'killed';
  if (action === 'backOff') environment.timer = 'wait';
  if (action === 'cancelTimer') environment.timer = 'none';
}

const walk = fc.array(fc.nat(), { maxLength: 60 });

test('no sequence of events loses the process or the timer of a module', () => {
  fc.assert(
    fc.property(walk, choices => {
      const environment: Environment = { state: 'stopped', process: 'none', timer: 'none' };
      for (const choice of choices) {
        const events = possible(environment);
        applyEvent(environment, events[choice % events.length] ?? 'stop');
        const { state, process, timer } = environment;
        const isAlive = state === 'running' || state === 'ready';
        assert.is(process === 'none', isSteady(state) && !isAlive, `${state} with ${process}`);
        assert.is(timer === 'wait', state === 'waiting', `${state} with timer ${timer}`);
        if (isSteady(state)) assert.is.not(timer, 'grace', `${state} with a grace`);
        if (state === 'stopping' && process === 'alive') assert.is(timer, 'grace', 'a stop always ends');
      }
    }),
    { numRuns: 2_000 },
  );
});

test('a module that was stopped on request starts only on request', () => {
  fc.assert(
    fc.property(walk, walk, (before, after) => {
      const environment: Environment = { state: 'stopped', process: 'none', timer: 'none' };
      for (const choice of before) {
        const events = possible(environment);
        applyEvent(environment, events[choice % events.length] ?? 'stop');
      }
      applyEvent(environment, 'stop');
      for (const choice of after) {
        const events = possible(environment).filter(event => event !== 'start' && event !== 'restart');
        applyEvent(environment, events[choice % events.length] ?? 'stop');
        assert.ok(['stopping', 'killing', 'stopped'].includes(environment.state), environment.state);
      }
    }),
    { numRuns: 1_000 },
  );
});

test.run();
