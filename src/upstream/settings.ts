import type { Pressure } from '../core/capacity/pressure.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import type { UpstreamEntry } from '../manifest/types.ts';
import type { Drain, DrainSettings } from '../queue/types.ts';
import type { TakeDown } from './inflow.ts';
import type { UpstreamMemory } from './session.ts';

export type ForwarderSettings = Omit<UpstreamEntry, 'password'> & {
  /** Opens the password for each connection: if that fails, it is tried again like any other. */
  readonly password: (() => Promise<string>) | undefined;
  /** The device's name: it names the client, and stands first in every topic. */
  readonly device: string;
  /** Where the paths in it start. */
  readonly home: string;
  /** Opens the queue that is forwarded. */
  readonly drain: (settings: DrainSettings) => Drain;
  /** Takes what comes down. */
  readonly take: TakeDown;
  /** Back-pressure of what takes what comes down. */
  readonly pressure: Pressure;
  readonly memory: UpstreamMemory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};

export type ForwarderStatus = {
  /** `waiting`: it is tried again later. */
  readonly state: 'connecting' | 'connected' | 'waiting' | 'stopped';
  readonly address: string;
  /** The version of MQTT that is spoken; undefined: none. */
  readonly version: 4 | 5 | undefined;
  /** Why nothing goes though it could; undefined: it may. */
  readonly pause: string | undefined;
  /** False after a link that ended because nothing was acknowledged, until the next one holds. */
  readonly acknowledges: boolean;
  readonly lastError: string | undefined;
  /** Milliseconds since then. */
  readonly lastErrorAgeMs: number | undefined;
  /** Messages the server acknowledged since the hub started, and a second in the last minute. */
  readonly delivered: number;
  readonly ratePerSecond: number;
  /** Answers that a message is not taken, for good or for now, and the last reason. */
  readonly refused: number;
  readonly lastRefusal: string | undefined;
};
