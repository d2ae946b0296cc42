import type { ModuleState } from './spec.ts';

/**
 * Events of the module state machine. Requests: `start`, `stop`, `restart`. Start: `spawned`, `startFailed`.
 * Exit, by restart policy: `exitRestart` (restart), `exitOk` (success, stays down), `exitFailed` (failure,
 * stays down). Health: `healthy`, `unhealthy` (keeps running), `unhealthyRestart` (restart because of failed
 * checks). Timers: `stopTimeout` (grace period over), `backoffOver`.
 */
export type LifecycleEvent =
  | 'start'
  | 'stop'
  | 'restart'
  | 'spawned'
  | 'startFailed'
  | 'exitRestart'
  | 'exitOk'
  | 'exitFailed'
  | 'healthy'
  | 'unhealthy'
  | 'unhealthyRestart'
  | 'stopTimeout'
  | 'backoffOver';

/**
 * Side effects of a transition. `spawn` starts the process. `signal` sends the stop signal and starts the
 * grace period. `kill` sends SIGKILL to the process group. `backOff` starts the restart back-off timer.
 * `cancelTimer` cancels the timer. `none` changes nothing, not even the timer.
 */
export type LifecycleAction = 'spawn' | 'signal' | 'kill' | 'backOff' | 'cancelTimer' | 'none';

export type Transition = { readonly next: ModuleState; readonly action: LifecycleAction };

function to(next: ModuleState, action: LifecycleAction): Transition {
  return { next, action };
}

/**
 * State machine of a module: state and event give the next state and an action. Missing pairs cannot occur.
 */
const TRANSITIONS: Readonly<Record<ModuleState, Readonly<Partial<Record<LifecycleEvent, Transition>>>>> = {
  stopped: {
    start: to('starting', 'spawn'),
    restart: to('starting', 'spawn'),
    stop: to('stopped', 'none'),
  },
  starting: {
    start: to('starting', 'none'),
    restart: to('starting', 'none'),
    stop: to('stopping', 'none'),
    spawned: to('running', 'cancelTimer'),
    startFailed: to('failed', 'cancelTimer'),
    exitRestart: to('waiting', 'backOff'),
    exitFailed: to('failed', 'cancelTimer'),
  },
  running: {
    start: to('running', 'none'),
    restart: to('restarting', 'signal'),
    stop: to('stopping', 'signal'),
    exitRestart: to('waiting', 'backOff'),
    exitOk: to('ended', 'cancelTimer'),
    exitFailed: to('failed', 'cancelTimer'),
    healthy: to('ready', 'none'),
    unhealthy: to('running', 'none'),
    unhealthyRestart: to('failing', 'signal'),
  },
  ready: {
    start: to('ready', 'none'),
    restart: to('restarting', 'signal'),
    stop: to('stopping', 'signal'),
    exitRestart: to('waiting', 'backOff'),
    exitOk: to('ended', 'cancelTimer'),
    exitFailed: to('failed', 'cancelTimer'),
    unhealthy: to('running', 'none'),
    unhealthyRestart: to('failing', 'signal'),
  },
  failing: {
    start: to('restarting', 'none'),
    restart: to('restarting', 'none'),
    stop: to('stopping', 'none'),
    exitRestart: to('waiting', 'backOff'),
    exitOk: to('waiting', 'backOff'),
    exitFailed: to('waiting', 'backOff'),
    stopTimeout: to('failing', 'kill'),
  },
  stopping: {
    start: to('restarting', 'none'),
    restart: to('restarting', 'none'),
    stop: to('stopping', 'none'),
    spawned: to('stopping', 'signal'),
    startFailed: to('stopped', 'cancelTimer'),
    exitRestart: to('stopped', 'cancelTimer'),
    exitOk: to('stopped', 'cancelTimer'),
    exitFailed: to('stopped', 'cancelTimer'),
    stopTimeout: to('killing', 'kill'),
  },
  killing: {
    start: to('restarting', 'none'),
    restart: to('restarting', 'none'),
    stop: to('killing', 'none'),
    exitRestart: to('stopped', 'cancelTimer'),
    exitOk: to('stopped', 'cancelTimer'),
    exitFailed: to('stopped', 'cancelTimer'),
  },
  restarting: {
    start: to('restarting', 'none'),
    restart: to('restarting', 'none'),
    stop: to('stopping', 'none'),
    spawned: to('running', 'cancelTimer'),
    startFailed: to('failed', 'cancelTimer'),
    exitRestart: to('starting', 'spawn'),
    exitOk: to('starting', 'spawn'),
    exitFailed: to('starting', 'spawn'),
    stopTimeout: to('restarting', 'kill'),
  },
  waiting: {
    start: to('starting', 'spawn'),
    restart: to('starting', 'spawn'),
    stop: to('stopped', 'cancelTimer'),
    backoffOver: to('starting', 'spawn'),
  },
  failed: {
    start: to('starting', 'spawn'),
    restart: to('starting', 'spawn'),
    stop: to('stopped', 'none'),
  },
  ended: {
    start: to('starting', 'spawn'),
    restart: to('starting', 'spawn'),
    stop: to('stopped', 'none'),
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

/** Returns the transition for `event` in `state`. Throws if the pair cannot occur. */
export function transition(state: ModuleState, event: LifecycleEvent): Transition {
  const found = TRANSITIONS[state][event];
  if (found === undefined) throw new Error(`Event "${event}" cannot occur in state ${state}.`);
  return found;
}

/** Tells if no request is in progress in this state. */
export function isSteady(state: ModuleState): boolean {
  return STEADY[state];
}
