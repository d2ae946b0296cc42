/** Back-pressure of a component that cannot keep up. While the pressure is high, senders wait. */
export type Pressure = {
  /** Returns true while senders must wait. */
  readonly high: () => boolean;
  /** Calls `resume` once, as soon as the pressure is low. Callbacks run in the order of the calls. */
  readonly whenLow: (resume: () => void) => void;
  /** Calls `listener` each time that the pressure becomes high. */
  readonly onHigh: (listener: () => void) => void;
};

export type Gauge = Pressure & {
  /** Sets the number of bytes in use. */
  readonly set: (bytes: number) => void;
};

/** Creates a gauge. The pressure becomes high at `maxBytes`, and low at half of `maxBytes`. */
export function createGauge(maxBytes: number): Gauge {
  const listeners: (() => void)[] = [];
  let isHigh = false;
  let waiting: (() => void)[] = [];

  const resumeWaiting = (): void => {
    const resumed = waiting;
    waiting = [];
    for (const [index, resume] of resumed.entries()) {
      if (isHigh) {
        waiting = [...resumed.slice(index), ...waiting];
        return;
      }
      resume();
    }
  };

  return {
    high: () => isHigh,
    whenLow: resume => {
      if (isHigh) waiting.push(resume);
      else resume();
    },
    onHigh: listener => void listeners.push(listener),
    set: bytes => {
      if (!isHigh && bytes >= maxBytes) {
        isHigh = true;
        for (const listener of listeners) listener();
      } else if (isHigh && bytes <= maxBytes / 2) {
        isHigh = false;
        resumeWaiting();
      }
    },
  };
}
