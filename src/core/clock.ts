/** Stops a timer. A second call has no effect. */
export type Cancel = () => void;

/** Source of time. Tests replace it by a simulated clock. */
export type Clock = {
  /** Milliseconds since an arbitrary start. Never decreases, and does not count while the machine is off. */
  readonly monotonic: () => number;
  /** Milliseconds since 1970 by the wall clock. The wall clock can be wrong and can jump by years. */
  readonly wall: () => number;
  /**
   * Runs `action` once after `milliseconds`. If `milliseconds` is 0, `action` runs in the current turn of the
   * event loop, after the pending input was read. The timer does not keep the process alive.
   */
  readonly after: (milliseconds: number, action: () => void) => Cancel;
};
