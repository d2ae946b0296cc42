import { abortable } from '../core/async/abortable.ts';
import type { Placed, Plan, PlanStep } from '../manifest/diff/plan.ts';
import { planOf, stateAfterFailure, stateAfterStep } from '../manifest/diff/plan.ts';

/** Executes one step towards `target`. */
export type ExecuteStep = (step: PlanStep, target: Placed, signal: AbortSignal) => Promise<void>;

/** Options of one execution of a plan. */
export type ExecuteOptions = {
  /** Aborts the execution at once; the step in progress continues in the background. */
  readonly signal: AbortSignal;
  /** Called and awaited before each step, so that progress is recorded; `index` starts at 1. */
  readonly beforeStep: (step: PlanStep, index: number, of: number) => Promise<void>;
  /**
   * Called after everything is fetched and before the first step that changes anything; if it throws, nothing
   * changes.
   */
  readonly preflight?: (plan: Plan) => Promise<void>;
  /** True if the component retries after this failure by itself, so that the step counts as done. */
  readonly isTolerated?: (thrown: unknown, step: PlanStep) => boolean;
  /** Executes all remaining steps after a failed one, and throws the first failure at the end. */
  readonly continueOnError: boolean;
  /** Modules to restart although their settings are unchanged. */
  readonly forceRestart?: ReadonlySet<string>;
};

export type PlanExecutor = {
  /** Settings that run now. A step in progress counts as done. */
  readonly current: () => Placed;
  /** Fetches what `target` needs and changes nothing. */
  readonly prepare: (target: Placed, signal: AbortSignal) => Promise<void>;
  /**
   * Executes the plan from what runs now to `target`. Rejects with the failure of a step, or with the
   * signal's reason.
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
      // An aborted module step continues in the background; any other failed step must run again.
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
