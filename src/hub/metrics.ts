import { DEFAULT_UPSTREAM } from '../core/message.ts';
import type { ModuleStatus } from '../supervisor/spec.ts';
import type { Listeners } from './listeners.ts';
import type { MemoryStatus } from './memory/keeper.ts';
import type { UpstreamStatus } from './upstreams.ts';

type Reading = (status: ModuleStatus) => string | number | undefined;

/** Metrics of a module by name. The name is the last level of the topic `$SYS/modules/<module>/<metric>`. */
const MODULE_METRICS: Readonly<Record<string, Reading>> = {
  state: ({ state }) => state,
  restarts: ({ restarts }) => restarts,
  'last exit': ({ lastExit }) => lastExit,
  memory: ({ usage }) => usage.memoryBytes,
  cpu: ({ usage }) => usage.cpuMs && Math.round(usage.cpuMs),
  pids: ({ usage }) => usage.pids,
  'oom kills': ({ usage }) => usage.oomKills,
  'not enforced': ({ notEnforced }) => notEnforced.join('\n') || undefined,
};

/** Returns the metrics of all modules by topic, without the prefix `$SYS/`. */
export function moduleMetrics(statuses: readonly ModuleStatus[]): Map<string, string> {
  const readings = new Map<string, string>();
  for (const status of statuses) {
    for (const [name, reading] of Object.entries(MODULE_METRICS)) {
      const value = reading(status);
      if (value !== undefined) readings.set(`modules/${status.name}/${name}`, String(value));
    }
  }
  return readings;
}

/**
 * Returns the memory metrics by topic, without the prefix `$SYS/`. The topic `broker/heap/current` has the
 * same name in mosquitto.
 */
export function memoryMetrics({ totalBytes, anonymousBytes, exceptions }: MemoryStatus): Map<string, string> {
  return new Map([
    ['broker/heap/current', String(anonymousBytes)],
    ['memory/total', String(totalBytes)],
    ['exceptions contained', String(exceptions)],
  ]);
}

type UpstreamReading = (status: UpstreamStatus) => string | number;

/** Metrics of an upstream by the end of their topic, such as `messages/waiting`. */
const UPSTREAM_METRICS: Readonly<Record<string, UpstreamReading>> = {
  state: ({ state }) => state,
  address: ({ address }) => address,
  pause: ({ pause }) => pause ?? '',
  'last error': ({ lastError }) => lastError ?? '',
  'messages/waiting': ({ backlog }) => backlog,
  'messages/delivered': ({ delivered }) => delivered,
  'messages/refused': ({ refused }) => refused,
  'messages/rate': ({ ratePerSecond }) => ratePerSecond.toFixed(1),
  'oldest seconds': ({ oldestMs }) => Math.floor((oldestMs ?? 0) / 1000),
};

/**
 * Returns the metrics of all upstreams by topic, without the prefix `$SYS/`. The topics of the default
 * upstream begin with `upstream/`. The topics of any other upstream begin with `upstreams/<name>/`.
 */
export function upstreamMetrics(statuses: readonly UpstreamStatus[]): Map<string, string> {
  const readings = new Map<string, string>();
  for (const status of statuses) {
    const prefix = status.name === DEFAULT_UPSTREAM ? 'upstream' : `upstreams/${status.name}`;
    for (const [name, reading] of Object.entries(UPSTREAM_METRICS))
      readings.set(`${prefix}/${name}`, String(reading(status)));
  }
  return readings;
}

/**
 * Returns the listener metrics by topic, without the prefix `$SYS/`. The metrics are the addresses of the
 * open listeners, and the reasons why other listeners could not be opened.
 */
export function listenerMetrics({
  addresses,
  closed,
}: Pick<Listeners, 'addresses' | 'closed'>): Map<string, string> {
  const reasons = closed().map(({ reason }) => reason);
  return new Map([
    ['listeners/open', addresses().join('\n')],
    ['listeners/closed', reasons.join('\n')],
  ]);
}
