/** Cgroup controller. In cgroups version 1, `io` is called `blkio`. */
export type Controller = 'memory' | 'cpu' | 'cpuacct' | 'pids' | 'io' | 'freezer';

/** Names of the limits that a manifest can set. */
export const LIMITS = ['memory', 'memoryHigh', 'cpu', 'pids', 'ioWeight'] as const;

export type LimitName = (typeof LIMITS)[number];

/** Interface file of a cgroup controller. */
type GroupFile = { readonly controller: Controller; readonly file: string };

/** Interface file that sets a limit. */
export type LimitFile = GroupFile & {
  /** Returns the content of the file for a value of the limit. */
  readonly text: (value: number) => string;
  /** Content of the file if there is no limit. */
  readonly unlimited: string;
};

/**
 * Interface files of a limit. The limit is written to the first file of `anyOf` that accepts it. The files of
 * `also` are written in addition, if they exist.
 */
export type LimitFiles = { readonly anyOf: readonly LimitFile[]; readonly also: readonly LimitFile[] };

/**
 * Interface file of a counter. With `key`, the value follows this key in the file. Without `key`, the whole
 * file is the value. The value is multiplied by `factor`.
 */
export type CountFile = GroupFile & { readonly key?: string; readonly factor?: number };

/** Names of the counters of a cgroup. */
export const COUNTS = [
  'memoryBytes',
  'memoryPeakBytes',
  'cpuMs',
  'throttled',
  'pids',
  'forksRefused',
  'oomKills',
] as const;

export type CountName = (typeof COUNTS)[number];

/** Interface files of one cgroup version (kernel documentation: admin-guide/cgroup-v2, cgroup-v1). */
export type CgroupLayout = {
  readonly limits: Readonly<Record<LimitName, LimitFiles>>;
  readonly counts: Readonly<Record<CountName, CountFile>>;
  readonly freeze: GroupFile & { readonly on: string; readonly off: string };
  /**
   * Name of the file with the key `populated`. The value of this key is 1 if the cgroup or a descendant has
   * processes, otherwise 0. Undefined in cgroups version 1, which has no such file.
   */
  readonly events: string | undefined;
};

/** CPU bandwidth period in microseconds. This is also the kernel's default. */
const PERIOD_MICROSECONDS = 100_000;

const MS_PER_MICROSECOND = 1e-3;
const MS_PER_NANOSECOND = 1e-6;

const whole = (value: number): string => String(Math.floor(value));
const quota = (processors: number): string => String(Math.round(processors * PERIOD_MICROSECONDS));
/**
 * Reduces a weight above 1000 to 1000, the maximum of the BFQ scheduler. The maximum weight in a manifest is
 * 10000.
 */
const bfqWeight = (weight: number): string => String(Math.min(1000, weight));

const v2File = (
  controller: Controller,
  file: string,
  text: LimitFile['text'],
  unlimited = 'max',
): LimitFile => ({ controller, file, text, unlimited });

export const CGROUP_V2: CgroupLayout = {
  limits: {
    memory: {
      anyOf: [v2File('memory', 'memory.max', whole)],
      // Swap is disabled, because swapping would wear out flash memory. If the cgroup runs out of memory, the
      // kernel kills all of its processes, because a module that has lost some processes does not work.
      also: [
        v2File('memory', 'memory.swap.max', () => '0'),
        v2File('memory', 'memory.oom.group', () => '1', '0'),
      ],
    },
    memoryHigh: { anyOf: [v2File('memory', 'memory.high', whole)], also: [] },
    cpu: {
      anyOf: [
        v2File(
          'cpu',
          'cpu.max',
          value => `${quota(value)} ${PERIOD_MICROSECONDS}`,
          `max ${PERIOD_MICROSECONDS}`,
        ),
      ],
      also: [],
    },
    pids: { anyOf: [v2File('pids', 'pids.max', whole)], also: [] },
    ioWeight: {
      anyOf: [
        v2File('io', 'io.weight', value => `default ${value}`, 'default 100'),
        v2File('io', 'io.bfq.weight', bfqWeight, '100'),
      ],
      also: [],
    },
  },
  counts: {
    memoryBytes: { controller: 'memory', file: 'memory.current' },
    memoryPeakBytes: { controller: 'memory', file: 'memory.peak' },
    cpuMs: { controller: 'cpu', file: 'cpu.stat', key: 'usage_usec', factor: MS_PER_MICROSECOND },
    throttled: { controller: 'cpu', file: 'cpu.stat', key: 'nr_throttled' },
    pids: { controller: 'pids', file: 'pids.current' },
    forksRefused: { controller: 'pids', file: 'pids.events', key: 'max' },
    oomKills: { controller: 'memory', file: 'memory.events', key: 'oom_kill' },
  },
  freeze: { controller: 'freezer', file: 'cgroup.freeze', on: '1', off: '0' },
  events: 'cgroup.events',
};

const v1File = (
  controller: Controller,
  file: string,
  text: LimitFile['text'],
  unlimited: string,
): LimitFile => ({ controller, file, text, unlimited });

export const CGROUP_V1: CgroupLayout = {
  limits: {
    memory: {
      anyOf: [v1File('memory', 'memory.limit_in_bytes', whole, '-1')],
      also: [v1File('memory', 'memory.memsw.limit_in_bytes', whole, '-1')],
    },
    // Cgroups version 1 has no equivalent of `memory.high`. Its soft limit applies only when the whole
    // machine is short of memory.
    memoryHigh: { anyOf: [], also: [] },
    cpu: { anyOf: [v1File('cpu', 'cpu.cfs_quota_us', quota, '-1')], also: [] },
    pids: { anyOf: [v1File('pids', 'pids.max', whole, 'max')], also: [] },
    ioWeight: {
      anyOf: [
        v1File('io', 'blkio.bfq.weight', bfqWeight, '100'),
        v1File('io', 'blkio.weight', value => bfqWeight(Math.max(10, value)), '500'),
      ],
      also: [],
    },
  },
  counts: {
    memoryBytes: { controller: 'memory', file: 'memory.usage_in_bytes' },
    memoryPeakBytes: { controller: 'memory', file: 'memory.max_usage_in_bytes' },
    cpuMs: { controller: 'cpuacct', file: 'cpuacct.usage', factor: MS_PER_NANOSECOND },
    throttled: { controller: 'cpu', file: 'cpu.stat', key: 'nr_throttled' },
    pids: { controller: 'pids', file: 'pids.current' },
    forksRefused: { controller: 'pids', file: 'pids.events', key: 'max' },
    oomKills: { controller: 'memory', file: 'memory.oom_control', key: 'oom_kill' },
  },
  freeze: { controller: 'freezer', file: 'freezer.state', on: 'FROZEN', off: 'THAWED' },
  events: undefined,
};
