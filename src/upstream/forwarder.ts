import type { Cancel, Clock } from '../core/clock.ts';
import type { Failure } from '../core/errors.ts';
import {
  RECONNECT_DELAY_FIRST,
  RECONNECT_DELAY_MOST,
  UPSTREAM_KEEP_ALIVE,
  UPSTREAM_WINDOW,
} from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Message } from '../core/message.ts';
import type { Random } from '../core/random.ts';
import { PUBACK } from '../mqtt/acknowledgement.ts';
import { PLAIN_DISPATCH } from '../mqtt/dispatch.ts';
import { createInFlight } from '../mqtt/inflight.ts';
import type { Drain, DrainSettings, Entry } from '../queue/types.ts';
import type { Link } from './link.ts';
import { openLink } from './link.ts';

export type ForwarderSettings = {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** The device's name: it names the client, and stands first in every topic. */
  readonly device: string;
  /** Opens the queue that is forwarded. */
  readonly drain: (settings: DrainSettings) => Drain;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};

export type ForwarderStatus = {
  readonly state: 'connecting' | 'connected' | 'waiting' | 'stopped';
  readonly address: string;
  readonly lastError: string | undefined;
  /** Messages the server acknowledged since the hub started. */
  readonly delivered: number;
};

export type Forwarder = { readonly status: () => ForwarderStatus; readonly stop: () => void };

/**
 * Drains a queue into an MQTT server at least once and in order: an entry leaves the queue by the server's
 * PUBACK alone, and after a reconnect all that is unacknowledged goes again first, marked DUP.
 */
export function startForwarder(settings: ForwarderSettings): Forwarder {
  const { clock, random, log, device, host, port, username, password } = settings;
  const inFlight = createInFlight<Entry>();
  let state: ForwarderStatus['state'] = 'connecting';
  let lastError: string | undefined;
  let delivered = 0;
  let failures = 0;
  let link: Link | undefined;
  let drain: Drain | undefined;
  let cancelRetry: Cancel | undefined;

  const send = (entry: Entry): boolean => {
    if (link === undefined) return false;
    const { message, redelivered } = entry;
    const packetId = inFlight.take(entry);
    const topic = upstreamTopic(device, message);
    if (
      link.publish(message, {
        ...PLAIN_DISPATCH,
        topic,
        qos: 1,
        packetId,
        dup: redelivered,
        retain: message.retain,
      })
    )
      return true;
    inFlight.release(packetId);
    return false;
  };

  const opened = (): void => {
    if (state !== 'connecting') return;
    state = 'connected';
    failures = 0;
    lastError = undefined;
    log.info(`Connected to ${host}:${port}.`);
    drain = settings.drain({ window: UPSTREAM_WINDOW, send });
    drain.wake();
  };

  const acknowledged = (packetId: number): void => {
    const entry = inFlight.release(packetId);
    if (entry === undefined) return;
    delivered++;
    drain?.acknowledge(entry);
  };

  const closed = (failure: Failure | undefined): void => {
    drain?.stop();
    drain = undefined;
    link = undefined;
    inFlight.clear();
    if (state === 'stopped' || failure === undefined) return;
    if (lastError !== failure.message)
      log.warn(`${failure.message} Messages wait in the queue; trying again.`);
    lastError = failure.message;
    state = 'waiting';
    cancelRetry = clock.after(retryDelay(failures++, random), open);
  };

  const open = (): void => {
    state = 'connecting';
    link = openLink(
      {
        host,
        port,
        username,
        password,
        clientId: `skerry-${device}`,
        clean: true,
        keepAlive: UPSTREAM_KEEP_ALIVE,
        clock,
      },
      {
        opened,
        packet: () => {},
        acknowledged: (type, packetId) => {
          if (type === PUBACK) acknowledged(packetId);
        },
        writable: () => drain?.wake(),
        closed,
      },
    );
  };
  open();

  return {
    status: () => ({ state, address: `${host}:${port}`, lastError, delivered }),
    stop: () => {
      state = 'stopped';
      cancelRetry?.();
      link?.close();
    },
  };
}

/** Milliseconds before try number `failures` + 1: doubling to a cap, spread so that a site does not return as one. */
function retryDelay(failures: number, random: Random): number {
  const delay = Math.min(RECONNECT_DELAY_FIRST * 2 ** Math.min(failures, 30), RECONNECT_DELAY_MOST);
  return delay * (0.5 + random.fraction() / 2);
}

/** `{device}/{module}/{output}` for what a module sent from an output, else `{device}/{topic}`. */
export function upstreamTopic(device: string, { topic, origin }: Message): string {
  if (origin.kind === 'module' && origin.output !== '') return `${device}/${origin.module}/${origin.output}`;
  return `${device}/${topic}`;
}
