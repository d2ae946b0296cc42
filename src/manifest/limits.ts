import * as v from 'valibot';
import {
  MAX_CONNECTIONS,
  MAX_KEEP_ALIVE_SECONDS,
  MAX_PACKET_BYTES,
  MIN_PACKET_BYTES,
} from '../core/limits.ts';
import { about, duration, object, size, stated, whole } from './fields.ts';

const packetSize = v.pipe(
  size,
  v.check(
    bytes => bytes >= MIN_PACKET_BYTES && bytes <= MAX_PACKET_BYTES,
    'must be at least "1K", and at most "1M"',
  ),
  stated({ minimum: MIN_PACKET_BYTES, maximum: MAX_PACKET_BYTES }),
);

const keepAlive = v.pipe(
  duration,
  v.check(
    milliseconds => milliseconds >= 1000 && milliseconds <= MAX_KEEP_ALIVE_SECONDS * 1000,
    'must be at least "1s", and at most "18h"',
  ),
  stated({ minimum: 1, maximum: MAX_KEEP_ALIVE_SECONDS }),
);

/** Limits of the hub as a whole. */
export const limits = object({
  packetSize: v.optional(about('Largest MQTT packet that a client may send.', packetSize), '1M'),
  keepAlive: v.optional(
    about(
      'Longest keep-alive of a client; MQTT 5 clients are told, others with a longer one are refused.',
      keepAlive,
    ),
  ),
  connections: v.optional(
    about('Clients connected at once, over all listeners.', whole(1, MAX_CONNECTIONS)),
    MAX_CONNECTIONS,
  ),
});
