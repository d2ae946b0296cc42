/** Back-pressure of a room that cannot keep up: those who feed it wait until it has caught up. */
export type Pressure = {
  /** True while no more should be given to it. */
  readonly high: () => boolean;
  /** Calls `resume` once, when there is room again. Those who wait come in the order of their calls. */
  readonly whenLow: (resume: () => void) => void;
};

export type Gauge = Pressure & {
  /** Sets the bytes that are held now. */
  readonly set: (bytes: number) => void;
  /** Sets the bound: pressure is high from `bytes` on, and low again at half of it. */
  readonly bound: (bytes: number) => void;
};

/** Pressure by an amount of bytes. */
export function createGauge(bytes: number): Gauge {
  let most = bytes;
  let held = 0;
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

  const look = (): void => {
    if (held >= most) isHigh = true;
    else if (isHigh && held <= most / 2) {
      isHigh = false;
      relieve();
    }
  };

  return {
    high: () => isHigh,
    whenLow: resume => {
      if (isHigh) waiting.push(resume);
      else resume();
    },
    set: amount => {
      held = amount;
      look();
    },
    bound: amount => {
      most = amount;
      look();
    },
  };
}
