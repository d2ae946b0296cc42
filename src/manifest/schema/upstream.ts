import * as v from 'valibot';
import { FORBIDDEN_CHARACTERS } from '../../core/characters.ts';
import {
  MAX_DOWN_FILTERS,
  MAX_UPSTREAM_KEEP_ALIVE,
  MAX_UPSTREAM_URLS,
  MAX_UPSTREAM_WINDOW,
  MAX_UPSTREAMS,
  MIN_UPSTREAM_BUDGET,
  UPSTREAM_KEEP_ALIVE,
  UPSTREAM_WINDOW,
} from '../../core/upstream-limits.ts';
import type { Upstream, UpstreamAddress } from '../types.ts';
import { sealed } from './deployment.ts';
import {
  about,
  byName,
  duration,
  flag,
  matching,
  mqttString,
  name,
  object,
  oneOf,
  sizeFrom,
  stated,
  whole,
} from './fields.ts';
import { addressOf, addressProblem } from './upstream-address.ts';
import { timeOfDay } from './upstream-schedule.ts';
import { tls } from './upstream-tls.ts';

/** The sentence does not repeat the address: it may hold a password. */
const ADDRESS = 'must be an address such as "mqtt://parent:1883"';

const url = v.pipe(
  v.string(ADDRESS),
  v.check(
    address => addressOf(address) !== undefined,
    ({ input }) => addressProblem(input) ?? ADDRESS,
  ),
  stated({ pattern: '^mqtts?://[^/?#]+/?$' }),
);

const urls = v.pipe(
  v.array(url, 'must be a list of addresses'),
  v.minLength(1, 'must not be empty'),
  v.maxLength(MAX_UPSTREAM_URLS, `must have at most ${MAX_UPSTREAM_URLS} addresses`),
);

const TEMPLATE = 'must be a topic in which {device}, {module}, {output} and {topic} stand for those';

const topic = matching(
  `^(?:[^{}+#${FORBIDDEN_CHARACTERS}]|\\{(?:device|module|output|topic)\\})+$`,
  TEMPLATE,
);

const FILTER = 'must be a topic filter';
const LEVEL = `[^+#/${FORBIDDEN_CHARACTERS}]*`;

const down = v.pipe(
  v.array(
    v.pipe(matching(`^(?:(?:\\+|${LEVEL})/)*(?:\\+|#|${LEVEL})$`, FILTER), v.minLength(1, FILTER)),
    'must be a list of topic filters',
  ),
  v.maxLength(MAX_DOWN_FILTERS, `must have at most ${MAX_DOWN_FILTERS} topic filters`),
);

const keepAlive = v.pipe(
  duration,
  v.check(
    milliseconds => milliseconds >= 1000 && milliseconds <= MAX_UPSTREAM_KEEP_ALIVE * 1000,
    'must be at least "1s", and at most "18h"',
  ),
  stated({ minimum: 1, maximum: MAX_UPSTREAM_KEEP_ALIVE }),
);

export const upstream = v.pipe(
  object({
    url: v.optional(about('The parent: mqtt://[user:password@]host[:port], or mqtts:// with TLS.', url)),
    urls: v.optional(about('Several, in the order in which they are tried.', urls)),
    username: v.optional(about('The user, where no address names one.', mqttString)),
    password: v.optional(about('His password, as "skerry seal" prints it.', sealed)),
    profile: v.optional(
      about(
        'mqtt: any broker; skerry: a parent hub, which is told where messages come from.',
        oneOf(['mqtt', 'skerry']),
      ),
      'mqtt',
    ),
    topic: v.optional(about("The topic of what goes up; otherwise the profile's.", topic)),
    exactlyOnce: v.optional(
      about('Each message arrives once and not twice, where the parent offers it.', flag),
      false,
    ),
    window: v.optional(
      about('Messages on their way at once, at most.', whole(1, MAX_UPSTREAM_WINDOW)),
      UPSTREAM_WINDOW,
    ),
    keepAlive: v.optional(
      about('A dead connection is found within one and a half of it.', keepAlive),
      `${UPSTREAM_KEEP_ALIVE}s`,
    ),
    priorities: v.optional(
      about(
        'weighted: what is less urgent goes now and then; strict: never before all else.',
        oneOf(['weighted', 'strict']),
      ),
      'weighted',
    ),
    clientId: v.optional(
      about(
        'Its client identifier; otherwise "skerry-" and the device, and ":" and its name if that is not "upstream".',
        v.pipe(mqttString, v.minLength(1, 'must not be empty')),
      ),
    ),
    tls: v.optional(about('How the parent is known, and how it knows this hub.', tls)),
    down: v.optional(
      about("Topic filters of the parent's messages that routes FROM $upstream get.", down),
      [],
    ),
    budget: v.optional(
      about(
        'Bytes that may go either way in a day.',
        sizeFrom(MIN_UPSTREAM_BUDGET, 'must be at least "64K": the connection itself takes some'),
      ),
    ),
    interval: v.optional(about('What waits is sent together, at least so long apart.', duration)),
    schedule: v.optional(
      about(
        'Times of the day at which it is connected; empty: always.',
        v.array(timeOfDay, 'must be a list of times'),
      ),
      [],
    ),
  }),
  v.check(
    ({ url: one, urls: several }) => (one === undefined) !== (several === undefined),
    'must have either "url" or "urls"',
  ),
  stated({ oneOf: [{ required: ['url'] }, { required: ['urls'] }] }),
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

/** Several by their names. */
export const upstreams = v.pipe(
  byName(name, upstream, 'must be an object of upstreams by their names'),
  v.check(all => Object.keys(all).length <= MAX_UPSTREAMS, `must have at most ${MAX_UPSTREAMS} upstreams`),
  stated({ maxProperties: MAX_UPSTREAMS }),
);

const NOWHERE: UpstreamAddress = {
  secure: false,
  host: '',
  port: 0,
  username: undefined,
  password: undefined,
};

function addressesOf(texts: readonly string[]): Upstream['urls'] {
  const [first = NOWHERE, ...others] = texts.map(one => addressOf(one) ?? NOWHERE);
  return [first, ...others];
}
