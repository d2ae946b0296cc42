import type { Cancel, Clock } from '../core/clock.ts';
import type { Random } from '../core/random.ts';
import type { Dial } from './dial.ts';
import { INITIAL_FAILBACK_MS, MAX_FAILBACK_MS, UPSTREAM_CONNECT_TIMEOUT_MS } from './limits.ts';

export type WayBackSettings = {
  /** Opens a socket to a better address; undefined: there is none. */
  readonly dial: () => Promise<
    { readonly dial: Dial; readonly host: string; readonly port: number } | undefined
  >;
  /** It answers. */
  readonly found: () => void;
  readonly clock: Clock;
  readonly random: Random;
};

/** Looks now and then whether a better address answers, without a packet of MQTT: that would end the link that works. */
export type WayBack = {
  /** The link to a lesser address works. */
  readonly look: () => void;
  /** The best is in use. */
  readonly arrived: () => void;
  readonly stop: () => void;
};

export function createWayBack({ dial, found, clock, random }: WayBackSettings): WayBack {
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
