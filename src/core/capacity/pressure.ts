/** Back-pressure of a room that cannot keep up: those who feed it wait until it has caught up. */
export type Pressure = {
  /** True while no more should be given to it. */
  readonly high: () => boolean;
  /** Calls `resume` once, when the pressure is low. Callbacks run in the order of the calls. */
  readonly whenLow: (resume: () => void) => void;
  /** Calls `listener` each time that it becomes high. */
  readonly onHigh: (listener: () => void) => void;
};

export type Gauge = Pressure & {
  /** Sets the bytes that are held now. */
  readonly set: (bytes: number) => void;
};

/** Pressure by an amount of bytes: high from `most` on, and low again at half of it. */
export function createGauge(most: number): Gauge {
  const listeners: (() => void)[] = [];
  let isHigh = false;
  let waiting: (() => void)[] = [];

  const relieve = (): void => {
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
      if (!isHigh && bytes >= most) {
        isHigh = true;
        for (const listener of listeners) listener();
      } else if (isHigh && bytes <= most / 2) {
        isHigh = false;
        relieve();
      }
    },
  };
}
