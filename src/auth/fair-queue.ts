/** Queue for expensive jobs with bounded concurrency. Jobs with different keys start in round-robin order. */
export type FairQueue = {
  /**
   * Runs `work` immediately, or later when it is this job's turn. `work` must not reject. If the queue is
   * full, the newest job of the key with the most jobs is removed, and its function `dropped` is called.
   */
  readonly run: (lane: QueueLane, key: string, work: () => Promise<void>, dropped: () => void) => void;
};

/**
 * Lane (class) of a job. `reserved` jobs can use the whole concurrency. `spare` jobs can use the whole
 * concurrency except one job, which stays available to `reserved` jobs.
 */
export type QueueLane = 'reserved' | 'spare';

type Job = { readonly work: () => Promise<void>; readonly dropped: () => void };

/**
 * State of one lane: the waiting jobs by key in round-robin order, the number of waiting jobs, and the number
 * of running jobs.
 */
type LaneState = { readonly jobs: Map<string, Job[]>; count: number; running: number };

/**
 * Creates a queue. `concurrency` is the maximum number of running jobs of both lanes together, at least 2.
 * `maxWaiting` is the maximum number of waiting jobs of each lane.
 */
export function createFairQueue(concurrency: number, maxWaiting: number): FairQueue {
  const lanes: Readonly<Record<QueueLane, LaneState>> = { reserved: lane(), spare: lane() };
  let last: QueueLane = 'spare';

  const mayRun = (name: QueueLane): boolean => {
    const running = lanes.reserved.running + lanes.spare.running;
    return running < concurrency && (name === 'reserved' || lanes.spare.running < concurrency - 1);
  };

  const start = (name: QueueLane, { work }: Job): void => {
    last = name;
    lanes[name].running++;
    void work().then(() => {
      lanes[name].running--;
      startNext();
    });
  };

  const startNext = (): void => {
    const order: readonly QueueLane[] = last === 'reserved' ? ['spare', 'reserved'] : ['reserved', 'spare'];
    for (const name of order) {
      const job = mayRun(name) ? shift(lanes[name]) : undefined;
      if (job !== undefined) start(name, job);
    }
  };

  return {
    run: (name, key, work, dropped) => {
      const job = { work, dropped };
      if (mayRun(name) && lanes[name].count === 0) return start(name, job);
      push(lanes[name], key, job);
      if (lanes[name].count > maxWaiting) dropFromLongest(lanes[name])?.dropped();
    },
  };
}

function lane(): LaneState {
  return { jobs: new Map(), count: 0, running: 0 };
}

function push(waiting: LaneState, key: string, job: Job): void {
  waiting.count++;
  const jobs = waiting.jobs.get(key);
  if (jobs === undefined) waiting.jobs.set(key, [job]);
  else jobs.push(job);
}

function shift(waiting: LaneState): Job | undefined {
  for (const [key, jobs] of waiting.jobs) {
    const job = jobs.shift();
    waiting.jobs.delete(key);
    if (jobs.length > 0) waiting.jobs.set(key, jobs);
    waiting.count--;
    return job;
  }
  return undefined;
}

/**
 * Removes the newest job of the key with the most jobs. If several keys have equally many jobs, a job of the
 * last of these keys is removed.
 */
function dropFromLongest(waiting: LaneState): Job | undefined {
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
