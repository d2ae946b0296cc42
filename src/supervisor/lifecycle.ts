import type { ModuleState } from './spec.ts';

/**
 * Event of the module state machine. Requests: `start`, `stop`, `restart`. Results of a start: `spawned`,
 * `startFailed`. Exits of the process: `exitRestart` (the restart policy demands a restart), `exitOk`
 * (success without restart), `exitFailed` (failure without restart). Changes of health: `healthy`,
 * `unhealthy` (the module continues to run), `unhealthyRestart` (the restart policy demands a restart).
 * Timers: `stopTimeout` (end of the grace period), `backoffOver` (end of the restart back-off).
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
 * Side effect of a transition. `spawn` starts the process. `signal` sends the stop signal and starts the
 * timer of the grace period. `kill` sends SIGKILL to the process group. `backOff` starts the timer of the
 * restart back-off. `cancelTimer` cancels the running timer. `none` does nothing.
 */
export type LifecycleAction = 'spawn' | 'signal' | 'kill' | 'backOff' | 'cancelTimer' | 'none';

export type Transition = { readonly next: ModuleState; readonly action: LifecycleAction };

function transitionTo(next: ModuleState, action: LifecycleAction): Transition {
  return { next, action };
}

/**
 * Transition table: the next state and the action for each state and event. If the table does not contain an
 * event for a state, the event cannot occur in this state.
 */
const TRANSITIONS: Readonly<Record<ModuleState, Readonly<Partial<Record<LifecycleEvent, Transition>>>>> = {
  stopped: {
    start: transitionTo('starting', 'spawn'),
    restart: transitionTo('starting', 'spawn'),
    stop: transitionTo('stopped', 'none'),
  },
  starting: {
    start: transitionTo('starting', 'none'),
    restart: transitionTo('starting', 'none'),
    stop: transitionTo('stopping', 'none'),
    spawned: transitionTo('running', 'cancelTimer'),
    startFailed: transitionTo('failed', 'cancelTimer'),
    exitRestart: transitionTo('waiting', 'backOff'),
    exitFailed: transitionTo('failed', 'cancelTimer'),
  },
  running: {
    start: transitionTo('running', 'none'),
    restart: transitionTo('restarting', 'signal'),
    stop: transitionTo('stopping', 'signal'),
    exitRestart: transitionTo('waiting', 'backOff'),
    exitOk: transitionTo('ended', 'cancelTimer'),
    exitFailed: transitionTo('failed', 'cancelTimer'),
    healthy: transitionTo('ready', 'none'),
    unhealthy: transitionTo('running', 'none'),
    unhealthyRestart: transitionTo('failing', 'signal'),
  },
  ready: {
    start: transitionTo('ready', 'none'),
    restart: transitionTo('restarting', 'signal'),
    stop: transitionTo('stopping', 'signal'),
    exitRestart: transitionTo('waiting', 'backOff'),
    exitOk: transitionTo('ended', 'cancelTimer'),
    exitFailed: transitionTo('failed', 'cancelTimer'),
    unhealthy: transitionTo('running', 'none'),
    unhealthyRestart: transitionTo('failing', 'signal'),
  },
  failing: {
    start: transitionTo('restarting', 'none'),
    restart: transitionTo('restarting', 'none'),
    stop: transitionTo('stopping', 'none'),
    exitRestart: transitionTo('waiting', 'backOff'),
    exitOk: transitionTo('waiting', 'backOff'),
    exitFailed: transitionTo('waiting', 'backOff'),
    stopTimeout: transitionTo('failing', 'kill'),
  },
  stopping: {
    start: transitionTo('restarting', 'none'),
    restart: transitionTo('restarting', 'none'),
    stop: transitionTo('stopping', 'none'),
    spawned: transitionTo('stopping', 'signal'),
    startFailed: transitionTo('stopped', 'cancelTimer'),
    exitRestart: transitionTo('stopped', 'cancelTimer'),
    exitOk: transitionTo('stopped', 'cancelTimer'),
    exitFailed: transitionTo('stopped', 'cancelTimer'),
    stopTimeout: transitionTo('killing', 'kill'),
  },
  killing: {
    start: transitionTo('restarting', 'none'),
    restart: transitionTo('restarting', 'none'),
    stop: transitionTo('killing', 'none'),
    exitRestart: transitionTo('stopped', 'cancelTimer'),
    exitOk: transitionTo('stopped', 'cancelTimer'),
    exitFailed: transitionTo('stopped', 'cancelTimer'),
  },
  restarting: {
    start: transitionTo('restarting', 'none'),
    restart: transitionTo('restarting', 'none'),
    stop: transitionTo('stopping', 'none'),
    spawned: transitionTo('running', 'cancelTimer'),
    startFailed: transitionTo('failed', 'cancelTimer'),
    exitRestart: transitionTo('starting', 'spawn'),
    exitOk: transitionTo('starting', 'spawn'),
    exitFailed: transitionTo('starting', 'spawn'),
    stopTimeout: transitionTo('restarting', 'kill'),
  },
  waiting: {
    start: transitionTo('starting', 'spawn'),
    restart: transitionTo('starting', 'spawn'),
    stop: transitionTo('stopped', 'cancelTimer'),
    backoffOver: transitionTo('starting', 'spawn'),
  },
  failed: {
    start: transitionTo('starting', 'spawn'),
    restart: transitionTo('starting', 'spawn'),
    stop: transitionTo('stopped', 'none'),
  },
  ended: {
    start: transitionTo('starting', 'spawn'),
    restart: transitionTo('starting', 'spawn'),
    stop: transitionTo('stopped', 'none'),
  },
};

/** True for each state in which no start, stop, kill or restart of the module is in progress. */
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

/** Returns the transition for `event` in `state`. Throws if the event cannot occur in the state. */
export function transition(state: ModuleState, event: LifecycleEvent): Transition {
  const found = TRANSITIONS[state][event];
  if (found === undefined) throw new Error(`Event "${event}" cannot occur in state ${state}.`);
  return found;
}

/** Returns true if no start, stop, kill or restart of the module is in progress in `state`. */
export function isSteady(state: ModuleState): boolean {
  return STEADY[state];
}
