import type { ModuleState } from './spec.ts';

/**
 * What can happen to a module. Asked: `start`, `stop`, `restart`. Of its start: `spawned`, `refused` (it cannot be
 * started as it is). Of its end: `again` (it is to be started again), `done` (it ended well and stays down),
 * `broken` (it ended badly and stays down). Of its health: `well`, `unwell` (it fails its checks and is let run),
 * `unhealthy` (it fails them and is to be started anew). Of time: `late` (its grace is over), `due` (its wait is over).
 */
export type LifecycleEvent =
  | 'start'
  | 'stop'
  | 'restart'
  | 'spawned'
  | 'refused'
  | 'again'
  | 'done'
  | 'broken'
  | 'well'
  | 'unwell'
  | 'unhealthy'
  | 'late'
  | 'due';

/**
 * What is to be done. `spawn`: start its process. `signal`: ask its group to go and begin its grace. `kill`: end
 * its group. `wait`: begin the back-off. `rest`: stop its timer. `none`: leave all as it is, a timer too.
 */
export type LifecycleAction = 'spawn' | 'signal' | 'kill' | 'wait' | 'rest' | 'none';

export type Step = { readonly next: ModuleState; readonly action: LifecycleAction };

function step(next: ModuleState, action: LifecycleAction): Step {
  return { next, action };
}

/** The life of a module. What is not in the table cannot happen. */
const LIFECYCLE: Readonly<Record<ModuleState, Readonly<Partial<Record<LifecycleEvent, Step>>>>> = {
  stopped: {
    start: step('starting', 'spawn'),
    restart: step('starting', 'spawn'),
    stop: step('stopped', 'none'),
  },
  starting: {
    start: step('starting', 'none'),
    restart: step('starting', 'none'),
    stop: step('stopping', 'none'),
    spawned: step('running', 'rest'),
    refused: step('failed', 'rest'),
    again: step('waiting', 'wait'),
    broken: step('failed', 'rest'),
  },
  running: {
    start: step('running', 'none'),
    restart: step('restarting', 'signal'),
    stop: step('stopping', 'signal'),
    again: step('waiting', 'wait'),
    done: step('ended', 'rest'),
    broken: step('failed', 'rest'),
    well: step('ready', 'none'),
    unwell: step('running', 'none'),
    unhealthy: step('failing', 'signal'),
  },
  ready: {
    start: step('ready', 'none'),
    restart: step('restarting', 'signal'),
    stop: step('stopping', 'signal'),
    again: step('waiting', 'wait'),
    done: step('ended', 'rest'),
    broken: step('failed', 'rest'),
    unwell: step('running', 'none'),
    unhealthy: step('failing', 'signal'),
  },
  failing: {
    start: step('restarting', 'none'),
    restart: step('restarting', 'none'),
    stop: step('stopping', 'none'),
    again: step('waiting', 'wait'),
    done: step('waiting', 'wait'),
    broken: step('waiting', 'wait'),
    late: step('failing', 'kill'),
  },
  stopping: {
    start: step('restarting', 'none'),
    restart: step('restarting', 'none'),
    stop: step('stopping', 'none'),
    spawned: step('stopping', 'signal'),
    refused: step('stopped', 'rest'),
    again: step('stopped', 'rest'),
    done: step('stopped', 'rest'),
    broken: step('stopped', 'rest'),
    late: step('killing', 'kill'),
  },
  killing: {
    start: step('restarting', 'none'),
    restart: step('restarting', 'none'),
    stop: step('killing', 'none'),
    again: step('stopped', 'rest'),
    done: step('stopped', 'rest'),
    broken: step('stopped', 'rest'),
  },
  restarting: {
    start: step('restarting', 'none'),
    restart: step('restarting', 'none'),
    stop: step('stopping', 'none'),
    spawned: step('running', 'rest'),
    refused: step('failed', 'rest'),
    again: step('starting', 'spawn'),
    done: step('starting', 'spawn'),
    broken: step('starting', 'spawn'),
    late: step('restarting', 'kill'),
  },
  waiting: {
    start: step('starting', 'spawn'),
    restart: step('starting', 'spawn'),
    stop: step('stopped', 'rest'),
    due: step('starting', 'spawn'),
  },
  failed: {
    start: step('starting', 'spawn'),
    restart: step('starting', 'spawn'),
    stop: step('stopped', 'none'),
  },
  ended: {
    start: step('starting', 'spawn'),
    restart: step('starting', 'spawn'),
    stop: step('stopped', 'none'),
  },
};

const STEADY: Readonly<Record<ModuleState, boolean>> = {
  stopped: true,
  starting: false,
  running: true,
  ready: true,
  failing: false,
  stopping: false,
  killing: false,
  restarting: false,
  waiting: true,
  failed: true,
  ended: true,
};

/** What follows when `event` happens to a module in `state`. Throws on what cannot happen. */
export function stepOf(state: ModuleState, event: LifecycleEvent): Step {
  const found = LIFECYCLE[state][event];
  if (found === undefined) throw new Error(`A module that is ${state} cannot meet the event "${event}".`);
  return found;
}

/** Whether what was asked of the module is done, one way or another. */
export function isSteady(state: ModuleState): boolean {
  return STEADY[state];
}
