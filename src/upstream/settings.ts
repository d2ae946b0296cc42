import type { Pressure } from '../core/capacity/pressure.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Message, OnDurable } from '../core/message.ts';
import type { Random } from '../core/random.ts';
import type { UpstreamEntry } from '../manifest/types.ts';
import type { Drain, DrainSettings, MetadataEntry } from '../queue/types.ts';
import type { UpstreamMemory } from './session.ts';

/**
 * Function that accepts a downstream message (from the server to the hub). Calls `settle` when the message
 * and the metadata entry `note` are durable.
 */
export type TakeDown = (message: Message, settle: OnDurable, note?: MetadataEntry) => void;

export type ForwarderSettings = Omit<UpstreamEntry, 'password'> & {
  /** Decrypts the password for each connection. If decryption fails, the connection is retried later. */
  readonly password: (() => Promise<string>) | undefined;
  /** Name of the device. Part of the client identifier and first level of outgoing topics. */
  readonly device: string;
  /** Folder in which relative paths of certificate files start. */
  readonly home: string;
  /** Opens the reader of the queue that holds the outgoing messages. */
  readonly drain: (settings: DrainSettings) => Drain;
  /** Function that stores downstream messages. */
  readonly take: TakeDown;
  /** Back-pressure of the store that receives downstream messages. */
  readonly pressure: Pressure;
  readonly memory: UpstreamMemory;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};

export type ForwarderStatus = {
  /** State of the connection. `waiting` means that a reconnect is scheduled. */
  readonly state: 'connecting' | 'connected' | 'waiting' | 'stopped';
  readonly address: string;
  /** MQTT version of the link. Undefined without a link. */
  readonly version: 4 | 5 | undefined;
  /** Reason why sending is paused. Undefined if sending is not paused. */
  readonly pause: string | undefined;
  /**
   * False after the acknowledgement timeout has ended a link, until the server acknowledges a message or a
   * link is stable.
   */
  readonly acknowledges: boolean;
  readonly lastError: string | undefined;
  /** Milliseconds since the last error. */
  readonly lastErrorAgeMs: number | undefined;
  /** Number of messages that the server has acknowledged since the start. */
  readonly delivered: number;
  /** Acknowledged messages per second over the last minute. */
  readonly ratePerSecond: number;
  /** Number of messages that the server has rejected or that MQTT cannot encode. */
  readonly refused: number;
  readonly lastRefusal: string | undefined;
};
