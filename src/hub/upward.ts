import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import type { Manifest } from '../manifest/types.ts';
import type { Store } from '../queue/types.ts';
import type { Forwarder, ForwarderStatus } from '../upstream/forwarder.ts';
import { startForwarder } from '../upstream/forwarder.ts';
import { UPSTREAM_QUEUE } from './names.ts';

/** The way up, as the newest manifest says it. */
export type Upward = {
  readonly use: (manifest: Pick<Manifest, 'name' | 'upstream'>) => void;
  /** Undefined: there is none. */
  readonly status: () => ForwarderStatus | undefined;
  readonly stop: () => void;
};

export type UpwardSettings = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};

export function createUpward({ store, ...settings }: UpwardSettings): Upward {
  let forwarder: Forwarder | undefined;
  return {
    use: ({ name, upstream }) => {
      forwarder?.stop();
      forwarder =
        upstream &&
        startForwarder({
          ...settings,
          ...upstream,
          device: name,
          drain: wanted => store.drain(UPSTREAM_QUEUE, wanted),
        });
    },
    status: () => forwarder?.status(),
    stop: () => forwarder?.stop(),
  };
}
