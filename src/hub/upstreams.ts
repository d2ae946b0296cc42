import { isDeepStrictEqual } from 'node:util';
import { oneAtATime } from '../core/async/one-at-a-time.ts';
import type { Clock } from '../core/clock.ts';
import type { LogSink } from '../core/log.ts';
import { logFor } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import { pathOf } from '../manifest/checks/field-path.ts';
import type { Placed } from '../manifest/diff/plan.ts';
import { upstreamSettings } from '../manifest/diff/upstream-changes.ts';
import type { UpstreamEntry } from '../manifest/types.ts';
import { upstreamClientId, upstreamLabel, upstreamPath } from '../manifest/upstreams.ts';
import type { QueueStats, Store } from '../queue/types.ts';
import type { Forwarder } from '../upstream/forwarder.ts';
import type { ForwarderSettings, ForwarderStatus, TakeDown } from '../upstream/settings.ts';
import type { SpecHost } from './modules/module-spec.ts';
import { keepUpstream } from './persistence/upstream-session.ts';
import { upstreamQueue } from './queue-names.ts';

export type UpstreamStatus = ForwarderStatus & {
  readonly name: string;
  /** Number of messages that wait for the upstream. */
  readonly backlog: number;
  /** Age of the oldest message that waits, in milliseconds. Undefined if no message waits. */
  readonly oldestMs: number | undefined;
};

/** Upstreams of the current manifest, each with its own forwarder. */
export type Upstreams = {
  /**
   * Starts new upstreams, restarts changed upstreams and stops removed upstreams. Throws Failure
   * `secret.unopened` or `key.*` if a password cannot be decrypted. The upstream with this password retries
   * the decryption. All other upstreams run normally.
   */
  readonly use: (placed: Placed) => Promise<void>;
  readonly statuses: () => UpstreamStatus[];
  readonly stop: () => void;
};

export type UpstreamsSettings = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logSink: LogSink;
  readonly openSecret: SpecHost['openSecret'];
  /** Called with each message that arrives from an upstream. */
  readonly take: TakeDown;
};

type Running = {
  /** Settings with which the forwarder was started. */
  readonly settings: unknown;
  readonly forwarder: Forwarder;
  /** True after the password has been decrypted. */
  opens: boolean;
};

export function createUpstreams(settings: UpstreamsSettings): Upstreams {
  const { store, clock, random, logSink, openSecret, take } = settings;
  const inTurn = oneAtATime();
  let running: ReadonlyMap<string, Running> = new Map();

  const passwordOf = (
    { manifest }: Placed,
    { name, password }: UpstreamEntry,
  ): ForwarderSettings['password'] => {
    if (password === undefined) return undefined;
    const field = pathOf([...upstreamPath(manifest, name), 'password']);
    return async () => (await openSecret(password, field)).toString();
  };

  const settingsOf = (placed: Placed, entry: UpstreamEntry): ForwarderSettings => {
    const { name } = entry;
    const log = logFor(upstreamLabel(name), logSink);
    return {
      ...entry,
      clientId: upstreamClientId(placed.manifest.name, entry),
      password: passwordOf(placed, entry),
      device: placed.manifest.name,
      home: placed.home,
      memory: keepUpstream(store, log, name),
      drain: wanted => store.drain(upstreamQueue(name), wanted),
      take,
      pressure: store.pressure,
      clock,
      random,
      log,
    };
  };

  /**
   * Checks that the password of an upstream can be decrypted. Skips the check if the upstream is unchanged
   * and an earlier check has succeeded.
   */
  const open = async (placed: Placed, entry: UpstreamEntry): Promise<void> => {
    const one = running.get(entry.name);
    if (one === undefined || one.opens) return;
    await passwordOf(placed, entry)?.();
    one.opens = true;
  };

  const change: Upstreams['use'] = async placed => {
    const wanted = upstreamSettings(placed);
    // A hub without upstreams does not load the forwarder.
    const loaded = wanted.size === 0 ? undefined : await import('../upstream/forwarder.ts');
    const before = running;
    const isKept = (name: string): boolean => {
      const known = before.get(name);
      return known !== undefined && isDeepStrictEqual(known.settings, wanted.get(name));
    };
    for (const [name, { forwarder }] of before) if (!isKept(name)) forwarder.stop();
    const next = new Map<string, Running>();
    running = next;
    for (const entry of placed.manifest.upstreams) {
      const kept = isKept(entry.name) ? before.get(entry.name) : undefined;
      const forwarder = kept?.forwarder ?? loaded?.startForwarder(settingsOf(placed, entry));
      if (forwarder === undefined) continue;
      next.set(entry.name, { settings: wanted.get(entry.name), forwarder, opens: kept?.opens ?? false });
    }
    const opened = await Promise.allSettled(placed.manifest.upstreams.map(entry => open(placed, entry)));
    for (const result of opened) if (result.status === 'rejected') throw result.reason;
  };

  return {
    // Calls of `use` run one after another, so that the settings of the last call apply.
    use: placed => inTurn(() => change(placed)),
    statuses: () => {
      const waiting = new Map(store.stats().map((stats): [string, QueueStats] => [stats.queue, stats]));
      return Array.from(running, ([name, { forwarder }]) => {
        const queue = waiting.get(upstreamQueue(name));
        return { name, ...forwarder.status(), backlog: queue?.depth ?? 0, oldestMs: queue?.oldestMs };
      });
    },
    stop: () => {
      for (const { forwarder } of running.values()) forwarder.stop();
    },
  };
}
