import { backoffMs } from '../core/async/backoff.ts';
import type { Cancel, Clock } from '../core/clock.ts';
import type { Random } from '../core/random.ts';
import { INITIAL_FAILBACK_MS, MAX_FAILBACK_MS, UPSTREAM_CONNECT_TIMEOUT_MS } from './limits.ts';
import type { Dial } from './link/dial.ts';

export type FailbackSettings = {
  /**
   * Returns a preferred address (before the current address in the list) and its dial function. Returns
   * undefined if the current address is the first of the list.
   */
  readonly dial: () => Promise<
    { readonly dial: Dial; readonly host: string; readonly port: number } | undefined
  >;
  /** Called when a preferred address accepts a connection. */
  readonly found: () => void;
  readonly clock: Clock;
  readonly random: Random;
};

/**
 * Periodic check whether a preferred address (before the current address in the list) accepts connections
 * again. The check sends no MQTT packet: a CONNECT with the hub's client identifier would make the server
 * close the existing link.
 */
export type Failback = {
  /** Schedules the next check. Called when a link to a secondary address is open. */
  readonly scheduleCheck: () => void;
  /**
   * Stops the checks and resets the interval between checks. Called when the link to the first address works.
   */
  readonly arrived: () => void;
  readonly stop: () => void;
};

export function createFailback({ dial, found, clock, random }: FailbackSettings): Failback {
  let failedChecks = 0;
  let cancel: Cancel = () => {};
  let run = 0;

  const probe = async (): Promise<void> => {
    const ownRun = ++run;
    const target = await dial();
    if (target === undefined || ownRun !== run) return;
    let ended = false;
    const finish = (answers: boolean): void => {
      if (ended) return;
      ended = true;
      stopWaiting();
      socket.destroy();
      if (ownRun !== run) return;
      if (answers) found();
      else scheduleCheck();
    };
    const socket = target.dial(target.host, target.port, () => finish(true));
    const stopWaiting = clock.after(UPSTREAM_CONNECT_TIMEOUT_MS, () => finish(false));
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
  };

  const scheduleCheck = (): void => {
    stop();
    const bound = backoffMs(failedChecks, { initialMs: INITIAL_FAILBACK_MS, maxMs: MAX_FAILBACK_MS });
    failedChecks++;
    cancel = clock.after(bound * (0.5 + random.fraction() / 2), () => {
      probe().catch(scheduleCheck);
    });
  };

  const stop = (): void => {
    cancel();
    run++;
  };

  return {
    scheduleCheck,
    arrived: () => {
      failedChecks = 0;
      stop();
    },
    stop,
  };
}
