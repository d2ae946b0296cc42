import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { oneAtATime } from '../core/one-at-a-time.ts';
import type { Random } from '../core/random.ts';
import type { Placed } from '../manifest/diff/plan.ts';
import type { QueueStats, Store } from '../queue/types.ts';
import type { Forwarder } from '../upstream/forwarder.ts';
import type { TakeDown } from '../upstream/inflow.ts';
import type { ForwarderStatus } from '../upstream/settings.ts';
import { keepUpstream } from './kept-upstream.ts';
import type { SpecHost } from './module-spec.ts';
import { UPSTREAM_QUEUE } from './names.ts';

export type UpstreamStatus = ForwarderStatus & {
  /** Messages that wait, and milliseconds since the oldest came. */
  readonly backlog: number;
  readonly oldest: number | undefined;
};

/** The way up, as the newest manifest says it. */
export type Upward = {
  /** Failure `secret.unopened`, and those of `key`: the upstream waits, and tries to open its password again. */
  readonly use: (placed: Placed) => Promise<void>;
  /** Undefined: there is none. */
  readonly status: () => UpstreamStatus | undefined;
  readonly stop: () => void;
};

export type UpwardSettings = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly openSecret: SpecHost['openSecret'];
  /** Takes what comes down. */
  readonly take: TakeDown;
};

export function createUpward({ store, openSecret, ...settings }: UpwardSettings): Upward {
  const inTurn = oneAtATime();
  let forwarder: Forwarder | undefined;
  const change: Upward['use'] = async ({ manifest: { name, upstream }, home }) => {
    const sealed = upstream?.password;
    const password =
      sealed === undefined
        ? undefined
        : async (): Promise<string> => (await openSecret(sealed, 'upstream.password')).toString();
    // A hub without an upstream does not load what one takes.
    const loaded = upstream && (await import('../upstream/forwarder.ts'));
    forwarder?.stop();
    forwarder =
      upstream &&
      loaded?.startForwarder({
        ...settings,
        ...upstream,
        password,
        device: name,
        home,
        memory: keepUpstream(store, settings.log),
        drain: wanted => store.drain(UPSTREAM_QUEUE, wanted),
      });
    await password?.();
  };
  return {
    // One that was left goes on: what is wanted last comes last.
    use: placed => inTurn(() => change(placed)),
    status: () => {
      if (forwarder === undefined) return undefined;
      const queue = store.stats().find((stats: QueueStats) => stats.queue === UPSTREAM_QUEUE);
      return { ...forwarder.status(), backlog: queue?.depth ?? 0, oldest: queue?.oldest };
    },
    stop: () => forwarder?.stop(),
  };
}
