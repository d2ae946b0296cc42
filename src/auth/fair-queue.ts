/** Expensive work, a bounded amount at once. Nobody's work waits behind all the work of one key. */
export type Turns = {
  /** Runs `work` now or later; it must not reject. `dropped` is called instead if too much work of its key waits. */
  readonly take: (lane: Lane, key: string, work: () => Promise<void>, dropped: () => void) => void;
};

/** `reserved` work may use all places, `spare` work all but one, so that it never delays the other by a full queue. */
export type Lane = 'reserved' | 'spare';

type Job = { readonly work: () => Promise<void>; readonly dropped: () => void };

/** Jobs of one lane by key; the key whose turn is next comes first. */
type Waiting = { readonly jobs: Map<string, Job[]>; count: number; working: number };

/** `atOnce` of both lanes together are at work, at least 2; `mostWaiting` of each lane wait. */
export function createTurns(atOnce: number, mostWaiting: number): Turns {
  const lanes: Readonly<Record<Lane, Waiting>> = { reserved: lane(), spare: lane() };
  let last: Lane = 'spare';

  const mayBegin = (name: Lane): boolean => {
    const working = lanes.reserved.working + lanes.spare.working;
    return working < atOnce && (name === 'reserved' || lanes.spare.working < atOnce - 1);
  };

  const begin = (name: Lane, { work }: Job): void => {
    last = name;
    lanes[name].working++;
    void work().then(() => {
      lanes[name].working--;
      beginNext();
    });
  };

  const beginNext = (): void => {
    const order: readonly Lane[] = last === 'reserved' ? ['spare', 'reserved'] : ['reserved', 'spare'];
    for (const name of order) {
      const job = mayBegin(name) ? shift(lanes[name]) : undefined;
      if (job !== undefined) begin(name, job);
    }
  };

  return {
    take: (name, key, work, dropped) => {
      const job = { work, dropped };
      if (mayBegin(name) && lanes[name].count === 0) return begin(name, job);
      push(lanes[name], key, job);
      if (lanes[name].count > mostWaiting) dropFromLongest(lanes[name])?.dropped();
    },
  };
}

function lane(): Waiting {
  return { jobs: new Map(), count: 0, working: 0 };
}

function push(waiting: Waiting, key: string, job: Job): void {
  waiting.count++;
  const jobs = waiting.jobs.get(key);
  if (jobs === undefined) waiting.jobs.set(key, [job]);
  else jobs.push(job);
}

function shift(waiting: Waiting): Job | undefined {
  for (const [key, jobs] of waiting.jobs) {
    const job = jobs.shift();
    waiting.jobs.delete(key);
    if (jobs.length > 0) waiting.jobs.set(key, jobs);
    waiting.count--;
    return job;
  }
  return undefined;
}

/** Takes the newest job of the key that has the most; of several the one that came last, so that none is displaced by its equal. */
function dropFromLongest(waiting: Waiting): Job | undefined {
  let longest: readonly [string, Job[]] | undefined;
  for (const entry of waiting.jobs) {
    if (longest === undefined || entry[1].length >= longest[1].length) longest = entry;
  }
  const [key = '', jobs = []] = longest ?? [];
  const job = jobs.pop();
  if (jobs.length === 0) waiting.jobs.delete(key);
  waiting.count--;
  return job;
}
