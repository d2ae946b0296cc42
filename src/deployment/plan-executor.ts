import { abortable } from '../core/async/abortable.ts';
import type { Placed, Plan, PlanStep } from '../manifest/diff/plan.ts';
import { planOf, stateAfterFailure, stateAfterStep } from '../manifest/diff/plan.ts';

/** Executes one step of a plan. `target` is the state after the last step of the plan. */
export type ExecuteStep = (step: PlanStep, target: Placed, signal: AbortSignal) => Promise<void>;

export type ExecuteOptions = {
  /**
   * Signal that aborts the execution immediately. A step in progress is not interrupted and continues in the
   * background.
   */
  readonly signal: AbortSignal;
  /**
   * Called and awaited before each step, to record the progress. `index` is the number of the step, counted
   * from 1. `of` is the number of all steps.
   */
  readonly beforeStep: (step: PlanStep, index: number, of: number) => Promise<void>;
  /**
   * Called after all files are fetched, before the first step that changes the hub. If `preflight` throws,
   * the plan is not executed.
   */
  readonly preflight?: (plan: Plan) => Promise<void>;
  /**
   * Returns true if the component itself retries after the failure `thrown`. The failed step then counts as
   * done.
   */
  readonly isTolerated?: (thrown: unknown, step: PlanStep) => boolean;
  /** True if the execution continues after a failed step. The first failure is then thrown at the end. */
  readonly continueOnError: boolean;
  /** Modules to restart even if their settings are unchanged. */
  readonly forceRestart?: ReadonlySet<string>;
};

export type PlanExecutor = {
  /** Returns the settings that are in effect. A step in progress counts as done. */
  readonly current: () => Placed;
  /** Fetches the files that `target` needs. Does not affect running modules and components. */
  readonly prepare: (target: Placed, signal: AbortSignal) => Promise<void>;
  /**
   * Executes the plan that changes the settings in effect to `target`. Rejects with the failure of a step, or
   * with the signal's reason.
   */
  readonly execute: (target: Placed, options: ExecuteOptions) => Promise<void>;
};

export function createPlanExecutor(nothing: Placed, execute: ExecuteStep): PlanExecutor {
  let current = nothing;

  const runStep = async (
    step: PlanStep,
    target: Placed,
    { signal, isTolerated }: ExecuteOptions,
  ): Promise<void> => {
    current = stateAfterStep(current, step, target);
    try {
      await abortable(execute(step, target, signal), signal);
    } catch (thrown) {
      if (!signal.aborted && isTolerated?.(thrown, step) === true) return;
      // An aborted step that changes modules continues in the background, so it counts as done. Any other
      // failed step is repeated by the next plan.
      if (!(signal.aborted && 'modules' in step)) current = stateAfterFailure(current, step);
      throw thrown;
    }
  };

  return {
    current: () => current,
    prepare: (target, signal) => abortable(execute({ kind: 'prepare' }, target, signal), signal),
    execute: async (target, options) => {
      const { signal, beforeStep, preflight, continueOnError, forceRestart } = options;
      const failures: unknown[] = [];
      const plan = planOf(current, target, forceRestart);
      const { steps } = plan;
      const firstChange = steps.findIndex(({ kind }) => kind !== 'prepare');
      for (const [index, step] of steps.entries()) {
        signal.throwIfAborted();
        if (index === firstChange) await preflight?.(plan);
        await beforeStep(step, index + 1, steps.length);
        signal.throwIfAborted();
        try {
          await runStep(step, target, options);
        } catch (thrown) {
          if (signal.aborted || !continueOnError) throw thrown;
          failures.push(thrown);
        }
      }
      current = target;
      if (failures.length > 0) throw failures[0];
    },
  };
}
