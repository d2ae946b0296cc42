import type { Refused } from './entry.ts';
import { beyondSchema, refused } from './entry.ts';

const ADDRESS = 'must be an address such as "mqtt://parent:1883"';
const TOPIC = 'must be a topic with the placeholders {device}, {module}, {output} and {topic} only';

/** Manifest with an upstream that has these fields besides its address. */
function upstream(fields: object): object {
  return { upstream: { url: 'mqtt://parent', ...fields } };
}

/** Manifest with upstreams by name, each with its own address unless the fields have one. */
function upstreams(all: Readonly<Record<string, object>>): object {
  const entries = Object.entries(all).map(([name, fields]) => [name, { url: `mqtt://${name}`, ...fields }]);
  return { upstreams: Object.fromEntries(entries) };
}

export const UPSTREAM: readonly Refused[] = [
  refused(
    { ...upstream({}), ...upstreams({ cloud: {} }) },
    'upstreams cannot be combined with "upstream": move "upstream" into "upstreams"',
  ),
  refused({ upstreams: [] }, 'upstreams must be an object of upstreams by their names'),
  refused(
    upstreams(Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`u${index}`, {}]))),
    'upstreams must have at most 8 upstreams',
  ),
  refused(upstreams({ 'a/b': {} }), 'upstreams.a/b must be 1 to 64 letters, digits, "_" or "-"'),
  refused({ upstreams: { cloud: {} } }, 'upstreams.cloud must have either "url" or "urls"'),
  refused(upstreams({ cloud: { window: 0 } }), 'upstreams.cloud.window must be at least 1'),
  beyondSchema(
    upstreams({ upstream: {}, cloud: { tls: {} } }),
    'upstreams.cloud.tls requires an address that begins with "mqtts://"',
  ),
  beyondSchema(upstreams({ cloud: { down: ['a', 'a'] } }), 'upstreams.cloud.down[1] is duplicated'),
  beyondSchema(
    upstreams({
      a: { url: 'mqtt://one', clientId: 'x' },
      b: { urls: ['mqtt://two', 'mqtt://one:1883'], clientId: 'x', url: undefined },
    }),
    'upstreams.b.clientId is also the client identifier of upstreams.a at the same address: set different client identifiers',
  ),
  beyondSchema(
    upstreams({ a: { url: 'mqtt://one', clientId: 'skerry-a:b' }, b: { url: 'mqtt://one' } }),
    'upstreams.b.clientId is also the client identifier of upstreams.a at the same address: set different client identifiers',
  ),
  refused({ upstream: {} }, 'upstream must have either "url" or "urls"'),
  refused(upstream({ urls: ['mqtt://other'] }), 'upstream must have either "url" or "urls"'),
  refused({ upstream: { urls: [] } }, 'upstream.urls must not be empty'),
  refused({ upstream: { urls: 'mqtt://a' } }, 'upstream.urls must be an array of addresses, and is a string'),
  refused(
    { upstream: { urls: ['mqtt://a', 'ws://u:hunter2@b'] } },
    'upstream.urls[1] begins with "ws://": an upstream is reached by "mqtt://" or "mqtts://", not by WebSocket',
  ),
  refused(
    { upstream: { urls: Array.from({ length: 17 }, () => 'mqtt://a') } },
    'upstream.urls must have at most 16 addresses',
  ),
  refused({ upstream: { url: 'http://u:hunter2@parent' } }, `upstream.url ${ADDRESS}`),
  refused(
    { upstream: { url: 'mqtt://parent/devices' } },
    'upstream.url has a path or a query, which an MQTT address cannot have',
  ),
  refused({ upstream: { url: 'tcp://parent:1883' } }, 'upstream.url begins with "tcp://": write "mqtt://"'),
  refused({ upstream: { url: 'ssl://parent' } }, 'upstream.url begins with "ssl://": write "mqtts://"'),
  refused(
    { upstream: { url: 'parent:1883' } },
    'upstream.url must begin with "mqtt://", or with "mqtts://" for TLS',
  ),
  refused(
    { upstream: { url: 'mqtt://u:hunter2#@parent' } },
    'upstream.url has "#" in its user or password: write it as "%23"',
  ),
  refused(
    { upstream: { url: 'mqtt://u:hunter2/@parent' } },
    'upstream.url has "/" in its user or password: write it as "%2F"',
  ),
  beyondSchema(
    { upstream: { url: 'mqtt://parent:99999' } },
    'upstream.url has a port that is not a number from 1 to 65535',
  ),
  refused({ upstream: { url: 'mqtt://' } }, 'upstream.url has an invalid host'),
  beyondSchema(
    { upstream: { url: 'mqtt://u:%zz@parent' } },
    'upstream.url has "%" in its user or password: write it as "%25"',
  ),
  refused({ upstream: 'mqtt://parent' }, 'upstream must be an object'),
  refused(
    upstream({ keepalive: '30s' }),
    'upstream.keepalive is an unknown field: did you mean "keepAlive"?',
  ),
  refused(
    upstream({ password: 'hunter2' }),
    'upstream.password must be what "skerry seal" prints: it begins with "sealed:"',
  ),
  beyondSchema(
    upstream({ password: 'sealed:QUJD' }),
    'upstream.username is missing: a password requires a user name',
  ),
  refused(upstream({ profile: 'aws' }), 'upstream.profile must be "mqtt" or "skerry"'),
  refused(upstream({ topic: 'a/{devise}' }), `upstream.topic ${TOPIC}`),
  refused(upstream({ topic: 'a/#' }), `upstream.topic ${TOPIC}`),
  refused(upstream({ topic: 'a/\u0001' }), `upstream.topic ${TOPIC}`),
  refused(upstream({ topic: '' }), `upstream.topic ${TOPIC}`),
  refused(upstream({ exactlyOnce: 'yes' }), 'upstream.exactlyOnce must be true or false, and is a string'),
  refused(upstream({ window: 0 }), 'upstream.window must be at least 1'),
  refused(upstream({ window: 1025 }), 'upstream.window must be at most 1024'),
  beyondSchema(upstream({ keepAlive: '0s' }), 'upstream.keepAlive must be at least "1s", and at most "18h"'),
  refused(upstream({ keepAlive: 70_000 }), 'upstream.keepAlive must be at least "1s", and at most "18h"'),
  refused(
    upstream({ priorities: 'stict' }),
    'upstream.priorities must be "weighted" or "strict": did you mean "strict"?',
  ),
  refused(
    upstream({ clientId: 'a\u0085' }),
    'upstream.clientId must be a string without control characters, which MQTT forbids',
  ),
  refused(
    upstream({ username: '\ufffe' }),
    'upstream.username must be a string without control characters, which MQTT forbids',
  ),
  refused(upstream({ clientId: '' }), 'upstream.clientId must not be empty'),
  beyondSchema(upstream({ tls: {} }), 'upstream.tls requires an address that begins with "mqtts://"'),
  refused(upstream({ tls: { cert: 'c.pem' } }), 'upstream.tls must have both "cert" and "key", or neither'),
  refused(upstream({ tls: { ca: '' } }), 'upstream.tls.ca must be the path of a file'),
  refused(
    upstream({ tls: { fingerprint: 'ab:cd' } }),
    'upstream.tls.fingerprint must be a SHA-256 in 64 hexadecimal digits, with or without ":"',
  ),
  refused(upstream({ tls: { alpn: [] } }), 'upstream.tls.alpn must not be empty'),
  refused(upstream({ down: 'a/#' }), 'upstream.down must be an array of topic filters, and is a string'),
  refused(upstream({ down: ['a/\u007f'] }), 'upstream.down[0] must be a topic filter'),
  refused(upstream({ down: ['a/#/b'] }), 'upstream.down[0] must be a topic filter'),
  beyondSchema(upstream({ down: ['a', 'a'] }), 'upstream.down[1] is duplicated'),
  refused(
    upstream({ budget: 1000 }),
    'upstream.budget must be at least "64K", because the connection itself uses some',
  ),
  refused(upstream({ interval: 'often' }), 'upstream.interval must be a time such as "90s", "2h" or "7d"'),
  refused(upstream({ schedule: ['2-4'] }), 'upstream.schedule[0] must be from and to, such as "02:00-04:30"'),
  refused(
    upstream({ schedule: ['22:00-24:00'] }),
    'upstream.schedule[0] must be from and to, such as "02:00-04:30"',
  ),
];
