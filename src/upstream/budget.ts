import { BUDGET_RESUME_PARTS, BUDGET_SAVE_PARTS } from './limits.ts';

const DAY = 86_400_000;

/** What is kept on disk of a budget: bytes that are left, and the hub time at which they were. */
export type BudgetStore = {
  readonly load: () => { readonly left: number; readonly at: number } | undefined;
  readonly save: (left: number, at: number) => void;
  /** Hub time in milliseconds: it goes on where it stopped, so that a restart fills nothing up. */
  readonly now: () => number;
};

/** Bytes that may go in a day. They fill up as time passes, to a day's worth. */
export type Budget = {
  /** Counts bytes that went. */
  readonly spend: (bytes: number) => void;
  /** Milliseconds until something may be sent; 0: now. */
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
      // What is used up stays so until some is there again: messages would else go one by one.
      const share = bytes / BUDGET_RESUME_PARTS;
      if (left >= share) spent = false;
      else if (left <= 0) spent = true;
      return spent ? Math.ceil(((share - left) * DAY) / bytes) : 0;
    },
    save,
  };
}
