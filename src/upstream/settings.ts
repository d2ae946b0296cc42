import type { Pressure } from '../core/capacity/pressure.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import type { UpstreamEntry } from '../manifest/types.ts';
import type { Drain, DrainSettings } from '../queue/types.ts';
import type { TakeDown } from './messages/downlink.ts';
import type { UpstreamMemory } from './session.ts';

export type ForwarderSettings = Omit<UpstreamEntry, 'password'> & {
  /** Decrypts the password for each connection. A failure is retried like any other. */
  readonly password: (() => Promise<string>) | undefined;
  /** Name of the device: client identifier and first level of topics. */
  readonly device: string;
  /** Folder where relative paths start. */
  readonly home: string;
  /** Opens the drain of the queue. */
  readonly drain: (settings: DrainSettings) => Drain;
  /** Receives downstream messages. */
  readonly take: TakeDown;
  /** Back-pressure of the receiver of downstream messages. */
  readonly pressure: Pressure;
  readonly memory: UpstreamMemory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};

export type ForwarderStatus = {
  /** State of the connection. `waiting`: a reconnect is scheduled. */
  readonly state: 'connecting' | 'connected' | 'waiting' | 'stopped';
  readonly address: string;
  /** MQTT version of the link. Undefined without a link. */
  readonly version: 4 | 5 | undefined;
  /** Reason of a pause. Undefined if messages may be sent. */
  readonly pause: string | undefined;
  /** False after a link that ended because nothing was acknowledged, until a link is stable. */
  readonly acknowledges: boolean;
  readonly lastError: string | undefined;
  /** Milliseconds since the last error. */
  readonly lastErrorAgeMs: number | undefined;
  /** Messages that the server acknowledged since the start, and the rate per second over the last minute. */
  readonly delivered: number;
  readonly ratePerSecond: number;
  /** Number of negative acknowledgements, and the last reason. */
  readonly refused: number;
  readonly lastRefusal: string | undefined;
};
