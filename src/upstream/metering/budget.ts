import { BUDGET_RESUME_PARTS, BUDGET_SAVE_PARTS } from '../limits.ts';

const DAY = 86_400_000;

/** Durable state of a budget: remaining bytes and the hub time of that count. */
export type BudgetStore = {
  readonly load: () => { readonly left: number; readonly at: number } | undefined;
  readonly save: (left: number, at: number) => void;
  /** Hub time in milliseconds. It continues after a restart, so that a restart does not refill the budget. */
  readonly now: () => number;
};

/** Token bucket of bytes. It refills to one day's bytes within a day. */
export type Budget = {
  /** Subtracts sent bytes. */
  readonly spend: (bytes: number) => void;
  /** Milliseconds until the next byte may be sent. 0 means now. */
  readonly wait: () => number;
  readonly save: () => void;
};

export function openBudget(bytes: number, store: BudgetStore): Budget {
  const known = store.load();
  let left = Math.min(known?.left ?? bytes, bytes);
  let at = known?.at ?? store.now();
  let unsaved = 0;
  let spent = false;

  const fill = (): void => {
    const now = store.now();
    left = Math.min(bytes, left + (Math.max(0, now - at) * bytes) / DAY);
    at = now;
  };
  const save = (): void => {
    fill();
    unsaved = 0;
    store.save(Math.floor(left), at);
  };

  return {
    spend: more => {
      left -= more;
      unsaved += more;
      if (unsaved >= bytes / BUDGET_SAVE_PARTS) save();
    },
    wait: () => {
      fill();
      // An empty budget stays closed until a part has refilled, because messages would otherwise go one by
      // one.
      const share = bytes / BUDGET_RESUME_PARTS;
      if (left >= share) spent = false;
      else if (left <= 0) spent = true;
      return spent ? Math.ceil(((share - left) * DAY) / bytes) : 0;
    },
    save,
  };
}
