import { BUDGET_RESUME_PARTS, BUDGET_SAVE_PARTS } from '../limits.ts';

const DAY = 86_400_000;

/**
 * Durable state of a budget: the remaining bytes, and the hub time (the hub's own clock for TTLs) at which
 * the bytes were counted.
 */
export type BudgetStore = {
  readonly load: () => { readonly left: number; readonly at: number } | undefined;
  readonly save: (left: number, at: number) => void;
  /**
   * Returns the hub time in milliseconds. Hub time stands still while the hub is off, so the budget does not
   * refill in this time.
   */
  readonly now: () => number;
};

/** Token bucket of bytes. An empty bucket refills to the daily limit within 24 hours. */
export type Budget = {
  /** Subtracts sent bytes. */
  readonly spend: (bytes: number) => void;
  /**
   * Returns the milliseconds until the budget allows to send the next byte. Returns 0 if sending is allowed
   * immediately.
   */
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
      // After the budget was empty, sending resumes only when a fraction of the daily bytes has refilled.
      // Otherwise the hub would send each message alone, as soon as the bytes for one message have refilled.
      const share = bytes / BUDGET_RESUME_PARTS;
      if (remaining >= share) spent = false;
      else if (remaining <= 0) spent = true;
      return spent ? Math.ceil(((share - remaining) * DAY) / bytes) : 0;
    },
    save,
  };
}
