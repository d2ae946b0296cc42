/** A subsystem of the kernel that a control group is under; `io` is called `blkio` in version 1. */
export type Controller = 'memory' | 'cpu' | 'cpuacct' | 'pids' | 'io' | 'freezer';

/** What a manifest can limit. */
export const LIMITS = ['memory', 'memoryHigh', 'cpu', 'pids', 'ioWeight'] as const;

export type LimitName = (typeof LIMITS)[number];

/** A file of a group, in the folder of its controller. */
type GroupFile = { readonly controller: Controller; readonly file: string };

export type LimitFile = GroupFile & {
  readonly text: (value: number) => string;
  readonly unlimited: string;
};

/** A limit is what the first file says that is there; what stands under `also` is set with it where it can be. */
export type LimitFiles = { readonly anyOf: readonly LimitFile[]; readonly also: readonly LimitFile[] };

/** A number that the kernel counts: a whole file, or what follows `key` in it. */
export type CountFile = GroupFile & { readonly key?: string; readonly factor?: number };

export const COUNTS = [
  'memory',
  'memoryPeak',
  'cpu',
  'throttled',
  'pids',
  'forksRefused',
  'oomKills',
] as const;

export type CountName = (typeof COUNTS)[number];

/** How a version of control groups lays out its files (kernel: admin-guide/cgroup-v2, admin-guide/cgroup-v1). */
export type Layout = {
  readonly limits: Readonly<Record<LimitName, LimitFiles>>;
  readonly counts: Readonly<Record<CountName, CountFile>>;
  readonly freeze: GroupFile & { readonly on: string; readonly off: string };
  /** The file that tells by a key `populated` whether anybody is in a group or in those within it. */
  readonly events: string | undefined;
};

/** Microseconds in which a share of the processors is measured: the kernel's default. */
const PERIOD = 100_000;
const MILLISECOND_OF_MICROSECONDS = 1e-3;
const MILLISECOND_OF_NANOSECONDS = 1e-6;

const whole = (value: number): string => String(Math.floor(value));
const quota = (processors: number): string => String(Math.round(processors * PERIOD));
/** 1 to 10000 with 100 as the usual one, where the scheduler takes 1 to 1000. */
const bfqWeight = (weight: number): string => String(Math.min(1000, weight));

const unifiedFile = (
  controller: Controller,
  file: string,
  text: LimitFile['text'],
  unlimited = 'max',
): LimitFile => ({ controller, file, text, unlimited });

export const UNIFIED: Layout = {
  limits: {
    memory: {
      anyOf: [unifiedFile('memory', 'memory.max', whole)],
      // What is over the limit must not wear the flash, and half a module is worth nothing.
      also: [
        unifiedFile('memory', 'memory.swap.max', () => '0'),
        unifiedFile('memory', 'memory.oom.group', () => '1', '0'),
      ],
    },
    memoryHigh: { anyOf: [unifiedFile('memory', 'memory.high', whole)], also: [] },
    cpu: {
      anyOf: [unifiedFile('cpu', 'cpu.max', value => `${quota(value)} ${PERIOD}`, `max ${PERIOD}`)],
      also: [],
    },
    pids: { anyOf: [unifiedFile('pids', 'pids.max', whole)], also: [] },
    ioWeight: {
      anyOf: [
        unifiedFile('io', 'io.weight', value => `default ${value}`, 'default 100'),
        unifiedFile('io', 'io.bfq.weight', bfqWeight, '100'),
      ],
      also: [],
    },
  },
  counts: {
    memory: { controller: 'memory', file: 'memory.current' },
    memoryPeak: { controller: 'memory', file: 'memory.peak' },
    cpu: { controller: 'cpu', file: 'cpu.stat', key: 'usage_usec', factor: MILLISECOND_OF_MICROSECONDS },
    throttled: { controller: 'cpu', file: 'cpu.stat', key: 'nr_throttled' },
    pids: { controller: 'pids', file: 'pids.current' },
    forksRefused: { controller: 'pids', file: 'pids.events', key: 'max' },
    oomKills: { controller: 'memory', file: 'memory.events', key: 'oom_kill' },
  },
  freeze: { controller: 'freezer', file: 'cgroup.freeze', on: '1', off: '0' },
  events: 'cgroup.events',
};

const legacyFile = (
  controller: Controller,
  file: string,
  text: LimitFile['text'],
  unlimited: string,
): LimitFile => ({ controller, file, text, unlimited });

export const LEGACY: Layout = {
  limits: {
    memory: {
      anyOf: [legacyFile('memory', 'memory.limit_in_bytes', whole, '-1')],
      also: [legacyFile('memory', 'memory.memsw.limit_in_bytes', whole, '-1')],
    },
    // The soft limit of version 1 is a wish for when all of the machine is short, not a bound.
    memoryHigh: { anyOf: [], also: [] },
    cpu: { anyOf: [legacyFile('cpu', 'cpu.cfs_quota_us', quota, '-1')], also: [] },
    pids: { anyOf: [legacyFile('pids', 'pids.max', whole, 'max')], also: [] },
    ioWeight: {
      anyOf: [
        legacyFile('io', 'blkio.bfq.weight', bfqWeight, '100'),
        legacyFile('io', 'blkio.weight', value => bfqWeight(Math.max(10, value)), '500'),
      ],
      also: [],
    },
  },
  counts: {
    memory: { controller: 'memory', file: 'memory.usage_in_bytes' },
    memoryPeak: { controller: 'memory', file: 'memory.max_usage_in_bytes' },
    cpu: { controller: 'cpuacct', file: 'cpuacct.usage', factor: MILLISECOND_OF_NANOSECONDS },
    throttled: { controller: 'cpu', file: 'cpu.stat', key: 'nr_throttled' },
    pids: { controller: 'pids', file: 'pids.current' },
    forksRefused: { controller: 'pids', file: 'pids.events', key: 'max' },
    oomKills: { controller: 'memory', file: 'memory.oom_control', key: 'oom_kill' },
  },
  freeze: { controller: 'freezer', file: 'freezer.state', on: 'FROZEN', off: 'THAWED' },
  events: undefined,
};
