import * as v from 'valibot';
import { FORBIDDEN_CHARACTERS } from '../../core/text/characters.ts';
import {
  MAX_DOWN_FILTERS,
  MAX_UPSTREAM_KEEP_ALIVE_SECONDS,
  MAX_UPSTREAM_URLS,
  MAX_UPSTREAM_WINDOW,
  MAX_UPSTREAMS,
  MIN_UPSTREAM_BUDGET_BYTES,
  UPSTREAM_KEEP_ALIVE_SECONDS,
  UPSTREAM_WINDOW,
} from '../limits.ts';
import type { Upstream, UpstreamAddress } from '../types.ts';
import { sealed } from './deployment.ts';
import {
  about,
  byName,
  duration,
  flag,
  jsonSchema,
  matching,
  mqttString,
  name,
  object,
  oneOf,
  sizeFrom,
  whole,
} from './fields.ts';
import { addressOf, addressProblem } from './upstream-address.ts';
import { timeOfDay } from './upstream-schedule.ts';
import { tls } from './upstream-tls.ts';

/**
 * Error text for an invalid address. Does not contain the address, because an address can contain a password.
 */
const ADDRESS = 'must be an address such as "mqtt://parent:1883"';

const url = v.pipe(
  v.string(ADDRESS),
  v.check(
    address => addressOf(address) !== undefined,
    ({ input }) => addressProblem(input) ?? ADDRESS,
  ),
  jsonSchema({ pattern: '^mqtts?://[^/?#]+/?$' }),
);

const urls = v.pipe(
  v.array(url, 'must be an array of addresses'),
  v.minLength(1, 'must not be empty'),
  v.maxLength(MAX_UPSTREAM_URLS, `must have at most ${MAX_UPSTREAM_URLS} addresses`),
);

const TEMPLATE = 'must be a topic with the placeholders {device}, {module}, {output} and {topic} only';

const topic = matching(
  `^(?:[^{}+#${FORBIDDEN_CHARACTERS}]|\\{(?:device|module|output|topic)\\})+$`,
  TEMPLATE,
);

const FILTER = 'must be a topic filter';
const LEVEL = `[^+#/${FORBIDDEN_CHARACTERS}]*`;

const down = v.pipe(
  v.array(
    v.pipe(matching(`^(?:(?:\\+|${LEVEL})/)*(?:\\+|#|${LEVEL})$`, FILTER), v.minLength(1, FILTER)),
    'must be an array of topic filters',
  ),
  v.maxLength(MAX_DOWN_FILTERS, `must have at most ${MAX_DOWN_FILTERS} topic filters`),
);

const keepAlive = v.pipe(
  duration,
  v.check(
    milliseconds => milliseconds >= 1000 && milliseconds <= MAX_UPSTREAM_KEEP_ALIVE_SECONDS * 1000,
    'must be at least "1s", and at most "18h"',
  ),
  jsonSchema({ minimum: 1, maximum: MAX_UPSTREAM_KEEP_ALIVE_SECONDS }),
);

export const upstream = v.pipe(
  object({
    url: v.optional(about('Address: mqtt://[user:password@]host[:port], or mqtts:// with TLS.', url)),
    urls: v.optional(about('Several addresses, in the order in which they are tried.', urls)),
    username: v.optional(about('User name, if the address has none.', mqttString)),
    password: v.optional(about('Password of the user, sealed by "skerry seal".', sealed)),
    profile: v.optional(
      about(
        'mqtt: any broker; skerry: a parent hub, which also receives the origin of each message.',
        oneOf(['mqtt', 'skerry']),
      ),
      'mqtt',
    ),
    topic: v.optional(
      about('Topic template of forwarded messages; the default depends on the profile.', topic),
    ),
    exactlyOnce: v.optional(about('Exactly-once delivery, if the server supports QoS 2.', flag), false),
    window: v.optional(
      about('Maximum number of unacknowledged messages.', whole(1, MAX_UPSTREAM_WINDOW)),
      UPSTREAM_WINDOW,
    ),
    keepAlive: v.optional(
      about('Keep-alive; a dead connection is detected within 1.5 times this.', keepAlive),
      `${UPSTREAM_KEEP_ALIVE_SECONDS}s`,
    ),
    priorities: v.optional(
      about(
        'weighted: each priority gets a share; strict: messages wait until no message of a higher priority waits.',
        oneOf(['weighted', 'strict']),
      ),
      'weighted',
    ),
    clientId: v.optional(
      about(
        'Client identifier; default is "skerry-<device>:<upstream>", without ":upstream" for that name.',
        v.pipe(mqttString, v.minLength(1, 'must not be empty')),
      ),
    ),
    tls: v.optional(about('TLS settings.', tls)),
    down: v.optional(about('Topic filters to subscribe to, for routes FROM $upstream.', down), []),
    budget: v.optional(
      about(
        'Maximum bytes per day, both directions together.',
        sizeFrom(
          MIN_UPSTREAM_BUDGET_BYTES,
          'must be at least "64K", because the connection itself uses some',
        ),
      ),
    ),
    interval: v.optional(about('Minimum time between two batches.', duration)),
    schedule: v.optional(
      about(
        'Connection times in local time, such as "02:00-04:30"; empty for always.',
        v.array(timeOfDay, 'must be an array of times'),
      ),
      [],
    ),
  }),
  v.check(
    ({ url: one, urls: several }) => (one === undefined) !== (several === undefined),
    'must have either "url" or "urls"',
  ),
  jsonSchema({ oneOf: [{ required: ['url'] }, { required: ['urls'] }] }),
  v.transform(
    ({ url: one, urls: several, ...rest }): Upstream => ({
      ...rest,
      urls: addressesOf(several ?? [one ?? '']),
      username: rest.username,
      password: rest.password,
      topic: rest.topic,
      clientId: rest.clientId,
      tls: rest.tls,
      budget: rest.budget,
      interval: rest.interval,
    }),
  ),
);

/** Schema of several upstreams by name. */
export const upstreams = v.pipe(
  byName(name, upstream, 'must be an object of upstreams by their names'),
  v.check(all => Object.keys(all).length <= MAX_UPSTREAMS, `must have at most ${MAX_UPSTREAMS} upstreams`),
  jsonSchema({ maxProperties: MAX_UPSTREAMS }),
);

const NO_ADDRESS: UpstreamAddress = {
  secure: false,
  host: '',
  port: 0,
  username: undefined,
  password: undefined,
};

function addressesOf(texts: readonly string[]): Upstream['urls'] {
  const [first = NO_ADDRESS, ...others] = texts.map(one => addressOf(one) ?? NO_ADDRESS);
  return [first, ...others];
}
