/** Stops a timer; calling it again does nothing. */
export type Cancel = () => void;

/** Time as a value, so that a test can own it. */
export type Clock = {
  /** Milliseconds since an arbitrary start; never goes back, does not count while the machine is off. */
  readonly monotonic: () => number;
  /** Milliseconds since 1970 by the wall clock, which may be wrong and may jump by years. */
  readonly wall: () => number;
  /**
   * Runs `action` once after `milliseconds`; 0: in this turn of the loop, once its input has been read. The
   * timer alone keeps no process alive.
   */
  readonly after: (milliseconds: number, action: () => void) => Cancel;
};
