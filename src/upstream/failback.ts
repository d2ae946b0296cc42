import type { Cancel, Clock } from '../core/clock.ts';
import type { Random } from '../core/random.ts';
import { INITIAL_FAILBACK_MS, MAX_FAILBACK_MS, UPSTREAM_CONNECT_TIMEOUT_MS } from './limits.ts';
import type { Dial } from './link/dial.ts';

export type WayBackSettings = {
  /** Opens a socket to a preferred address. Undefined if the current one is the best. */
  readonly dial: () => Promise<
    { readonly dial: Dial; readonly host: string; readonly port: number } | undefined
  >;
  /** Called when a preferred address answers. */
  readonly found: () => void;
  readonly clock: Clock;
  readonly random: Random;
};

/**
 * Failback: periodically checks whether a preferred address accepts a connection. It sends no MQTT packet,
 * which would end the working link.
 */
export type Failback = {
  /** Called when a link to a secondary address works. */
  readonly look: () => void;
  /** Called when the first address is in use. */
  readonly arrived: () => void;
  readonly stop: () => void;
};

export function createFailback({ dial, found, clock, random }: WayBackSettings): Failback {
  let misses = 0;
  let cancel: Cancel = () => {};
  let run = 0;

  const probe = async (): Promise<void> => {
    const mine = ++run;
    const target = await dial();
    if (target === undefined || mine !== run) return;
    let over = false;
    const end = (answers: boolean): void => {
      if (over) return;
      over = true;
      stopWaiting();
      socket.destroy();
      if (mine !== run) return;
      if (answers) found();
      else look();
    };
    const socket = target.dial(target.host, target.port, () => end(true));
    const stopWaiting = clock.after(UPSTREAM_CONNECT_TIMEOUT_MS, () => end(false));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
  };

  const look = (): void => {
    stop();
    const bound = Math.min(INITIAL_FAILBACK_MS * 2 ** Math.min(misses, 30), MAX_FAILBACK_MS);
    misses++;
    cancel = clock.after(bound * (0.5 + random.fraction() / 2), () => {
      probe().catch(look);
    });
  };

  const stop = (): void => {
    cancel();
    run++;
  };

  return {
    look,
    arrived: () => {
      misses = 0;
      stop();
    },
    stop,
  };
}
