import * as v from 'valibot';
import { DEFAULT_BOUNDS } from '../../core/capacity/resources.ts';
import {
  MAX_CONNECTIONS,
  MAX_KEEP_ALIVE_SECONDS,
  MAX_PACKET_BYTES,
  MIN_PACKET_BYTES,
} from '../../core/limits.ts';
import { MAX_LIMIT, MAX_LIMIT_BYTES } from '../limits.ts';
import { about, duration, jsonSchema, object, size, whole } from './fields.ts';

const packetSize = v.pipe(
  size,
  v.check(
    bytes => bytes >= MIN_PACKET_BYTES && bytes <= MAX_PACKET_BYTES,
    'must be at least "1K", and at most "1M"',
  ),
  jsonSchema({ minimum: MIN_PACKET_BYTES, maximum: MAX_PACKET_BYTES }),
);

const keepAlive = v.pipe(
  duration,
  v.check(
    milliseconds => milliseconds >= 1000 && milliseconds <= MAX_KEEP_ALIVE_SECONDS * 1000,
    'must be at least "1s", and at most "18h"',
  ),
  jsonSchema({ minimum: 1, maximum: MAX_KEEP_ALIVE_SECONDS }),
);

const shareBytes = v.pipe(
  size,
  v.check(bytes => bytes >= 1 && bytes <= MAX_LIMIT_BYTES, 'must be at least "1", and at most "1G"'),
  jsonSchema({ minimum: 1, maximum: MAX_LIMIT_BYTES }),
);

/** Schema of the limits of the hub as a whole. */
export const limits = object({
  packetSize: v.optional(about('Maximum size of an MQTT packet from a client.', packetSize), '1M'),
  keepAlive: v.optional(
    about(
      'Maximum keep-alive; MQTT 5 clients receive it as Server Keep Alive, other clients with a longer one are refused.',
      keepAlive,
    ),
  ),
  connections: v.optional(
    about('Maximum number of connected clients of all listeners.', whole(1, MAX_CONNECTIONS)),
    MAX_CONNECTIONS,
  ),
  sessions: v.optional(
    about('Maximum number of persistent sessions.', whole(1, MAX_LIMIT)),
    DEFAULT_BOUNDS.sessions,
  ),
  subscriptionBytes: v.optional(about('Maximum memory of all subscriptions.', shareBytes), '32M'),
  retained: v.optional(
    about('Maximum number of retained messages.', whole(1, MAX_LIMIT)),
    DEFAULT_BOUNDS.retained,
  ),
  retainedBytes: v.optional(about('Maximum size on disk of all retained messages.', shareBytes), '32M'),
});
