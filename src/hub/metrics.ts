import { DEFAULT_UPSTREAM } from '../core/message.ts';
import type { ModuleStatus } from '../supervisor/spec.ts';
import type { Listeners } from './listeners.ts';
import type { MemoryStatus } from './memory/keeper.ts';
import type { UpstreamStatus } from './upstreams.ts';

type Reading = (status: ModuleStatus) => string | number | undefined;

/** Metrics of a module under `$SYS/modules/<module>/`. */
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

/** Module metrics by topic below `$SYS/`. */
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

/** Memory metrics by topic below `$SYS/`. `broker/heap/current` is mosquitto's name. */
export function memoryMetrics({ totalBytes, anonymousBytes, exceptions }: MemoryStatus): Map<string, string> {
  return new Map([
    ['broker/heap/current', String(anonymousBytes)],
    ['memory/total', String(totalBytes)],
    ['exceptions contained', String(exceptions)],
  ]);
}

type UpstreamReading = (status: UpstreamStatus) => string | number;

/** Readings of each upstream under `$SYS`. */
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

/** Upstream metrics by topic below `$SYS/`: `upstream/`, and `upstreams/<name>/` for any other name. */
export function upstreamMetrics(statuses: readonly UpstreamStatus[]): Map<string, string> {
  const readings = new Map<string, string>();
  for (const status of statuses) {
    const prefix = status.name === DEFAULT_UPSTREAM ? 'upstream' : `upstreams/${status.name}`;
    for (const [name, reading] of Object.entries(UPSTREAM_METRICS))
      readings.set(`${prefix}/${name}`, String(reading(status)));
  }
  return readings;
}

/** Listener metrics by topic below `$SYS/`: open listeners, and the reasons of those that are not open. */
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
