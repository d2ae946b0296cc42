import type { Placed, Plan, PlanStep } from '../manifest/diff/plan.ts';
import { planOf, stateAfterFailure, stateAfterStep } from '../manifest/diff/plan.ts';
import { unlessAborted } from './abortable.ts';

/** Carries out one step towards `target`. */
export type Execute = (step: PlanStep, target: Placed, signal: AbortSignal) => Promise<void>;

/** How a way is gone. */
export type Passage = {
  /** Aborted, it is left at once: what its step waits for goes on behind it. */
  readonly signal: AbortSignal;
  /** Called, and waited for, before each step, and so after the one before it; `index` from 1. */
  readonly note: (step: PlanStep, index: number, of: number) => Promise<void>;
  /** Called once everything the target needs has been fetched, before the first step that changes anything; if it throws, nothing has changed. */
  readonly inspect?: (plan: Plan) => Promise<void>;
  /** True for a failure whose part goes on trying by itself: the step counts as taken. */
  readonly tolerates?: (thrown: unknown, step: PlanStep) => boolean;
  /** A step that fails does not end it: the first failure is thrown when all others have been taken. */
  readonly stubborn: boolean;
  /** Modules that are to be started anew though nothing of them differs. */
  readonly down?: ReadonlySet<string>;
};

export type Conductor = {
  /** What runs. While a step is taken, it counts as taken. */
  readonly current: () => Placed;
  /** Only brings here what `target` needs. */
  readonly prepare: (target: Placed, signal: AbortSignal) => Promise<void>;
  /** Goes from what runs to `target`. Rejects with what hindered a step, or with the signal's reason. */
  readonly go: (target: Placed, passage: Passage) => Promise<void>;
};

export function createConductor(nothing: Placed, execute: Execute): Conductor {
  let current = nothing;

  const take = async (step: PlanStep, target: Placed, { signal, tolerates }: Passage): Promise<void> => {
    current = stateAfterStep(current, step, target);
    try {
      await unlessAborted(execute(step, target, signal), signal);
    } catch (thrown) {
      if (!signal.aborted && tolerates?.(thrown, step) === true) return;
      // Modules of a step that was left are still seen to, behind it; what failed by half is taken again.
      if (!(signal.aborted && 'modules' in step)) current = stateAfterFailure(current, step);
      throw thrown;
    }
  };

  return {
    current: () => current,
    prepare: (target, signal) => unlessAborted(execute({ kind: 'prepare' }, target, signal), signal),
    go: async (target, passage) => {
      const { signal, note, inspect, stubborn, down } = passage;
      const failures: unknown[] = [];
      const plan = planOf(current, target, down);
      const { steps } = plan;
      const firstChange = steps.findIndex(({ kind }) => kind !== 'prepare');
      for (const [index, step] of steps.entries()) {
        signal.throwIfAborted();
        if (index === firstChange) await inspect?.(plan);
        await note(step, index + 1, steps.length);
        signal.throwIfAborted();
        try {
          await take(step, target, passage);
        } catch (thrown) {
          if (signal.aborted || !stubborn) throw thrown;
          failures.push(thrown);
        }
      }
      current = target;
      if (failures.length > 0) throw failures[0];
    },
  };
}
