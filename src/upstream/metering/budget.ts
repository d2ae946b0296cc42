import { BUDGET_RESUME_PARTS, BUDGET_SAVE_PARTS } from '../limits.ts';

const DAY = 86_400_000;

/** Durable state of a budget: the remaining bytes, and the hub time at which they were counted. */
export type BudgetStore = {
  readonly load: () => { readonly left: number; readonly at: number } | undefined;
  readonly save: (left: number, at: number) => void;
  /** Returns the hub time in milliseconds. Time while the hub is off does not refill the budget. */
  readonly now: () => number;
};

/** Token bucket of bytes. An empty bucket refills to the daily limit within 24 hours. */
export type Budget = {
  /** Subtracts sent bytes. */
  readonly spend: (bytes: number) => void;
  /** Returns the milliseconds until the next byte may be sent. 0 if it may be sent now. */
  readonly wait: () => number;
  readonly save: () => void;
};

export function openBudget(bytes: number, store: BudgetStore): Budget {
  const stored = store.load();
  let remaining = Math.min(stored?.left ?? bytes, bytes);
  let countedAt = stored?.at ?? store.now();
  let unsaved = 0;
  let spent = false;

  const refill = (): void => {
    const now = store.now();
    remaining = Math.min(bytes, remaining + (Math.max(0, now - countedAt) * bytes) / DAY);
    countedAt = now;
  };
  const save = (): void => {
    refill();
    unsaved = 0;
    store.save(Math.floor(remaining), countedAt);
  };

  return {
    spend: sentBytes => {
      remaining -= sentBytes;
      unsaved += sentBytes;
      if (unsaved >= bytes / BUDGET_SAVE_PARTS) save();
    },
    wait: () => {
      refill();
      // After an empty budget, sending resumes only when a fraction has refilled. Otherwise each message
      // would be sent alone, as soon as its bytes have refilled.
      const share = bytes / BUDGET_RESUME_PARTS;
      if (remaining >= share) spent = false;
      else if (remaining <= 0) spent = true;
      return spent ? Math.ceil(((share - remaining) * DAY) / bytes) : 0;
    },
    save,
  };
}
