import { bootId, runningProcess } from '../core/proc.ts';
import type { Places, SlotName } from './paths.ts';
import { SLOTS } from './paths.ts';
import type { Guard } from './state.ts';

/** In the environment of a hub that runs from a slot: which. Who bears it launches no further. */
const SLOT_VARIABLE = 'SKERRY_SLOT';

/** In the environment of a hub that was started on trial: the guard that did it. */
export const GUARD_VARIABLE = 'SKERRY_GUARD';

/** What the guard tells the base binary, which it becomes again: how the hub on trial ended, and after how many seconds. */
export const ENDED_VARIABLE = 'SKERRY_TRIAL_ENDED';

/** `late`: it was ended because it was not healthy in time. Otherwise the exit code, as a shell has it. */
export type TrialEnd = { readonly how: number | 'late'; readonly seconds: number };

export type Marks = {
  readonly slot: SlotName | undefined;
  /** The guard's pid. */
  readonly guard: number | undefined;
  readonly ended: TrialEnd | undefined;
};

/** What the environment of this process tells of how it was started. */
export function marksOf(env: NodeJS.ProcessEnv, places: Places): Marks {
  const slot = SLOTS.find(one => env[SLOT_VARIABLE] === places.binary(one));
  const guard = /^(\d+) /.exec(env[GUARD_VARIABLE] ?? '')?.[1];
  const [, how, seconds] = /^(\d{1,3}|late) (\d{1,9})$/.exec(env[ENDED_VARIABLE] ?? '') ?? [];
  return {
    slot,
    guard: guard === undefined ? undefined : Number(guard),
    ended:
      how === undefined ? undefined : { how: how === 'late' ? how : Number(how), seconds: Number(seconds) },
  };
}

/** An environment for a process that nothing is known of. */
export function unmarked(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { [SLOT_VARIABLE]: _slot, [GUARD_VARIABLE]: _guard, [ENDED_VARIABLE]: _ended, ...rest } = env;
  return rest;
}

/** An environment for the hub in `slot`, and for the guard that it has on trial. */
export function marked(env: NodeJS.ProcessEnv, places: Places, slot: SlotName, guard?: Guard) {
  const more = guard === undefined ? {} : { [GUARD_VARIABLE]: guardMark(guard) };
  return { ...unmarked(env), [SLOT_VARIABLE]: places.binary(slot), ...more };
}

/** This process as a guard: it becomes one by `execve`, and stays the same process. */
export function asGuard(pid: number): Guard {
  return { pid, started: runningProcess(pid)?.started ?? 0, boot: bootId() ?? '' };
}

export function isRunning({ pid, started, boot }: Guard): boolean {
  return boot === (bootId() ?? '') && runningProcess(pid)?.started === started;
}

/** What the processes have in their environment that `guard` started. */
export function guardMark({ pid, started, boot }: Guard): string {
  return `${pid} ${started} ${boot}`;
}
