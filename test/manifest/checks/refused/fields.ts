import type { Refused } from './entry.ts';
import { beyondSchema, exec, refused, sha256 } from './entry.ts';

const tls = { mqtts: '0.0.0.0:8883', cert: 'c', key: 'k' };
const listener = (...listeners: unknown[]): object => ({ listeners });
const store = (storeAndForward: unknown): object => ({ storeAndForward });
const user = (u: unknown): object => ({ users: { u } });
const route = (r: unknown): object => ({ routes: { r } });

export const NAMES: readonly Refused[] = [
  refused({ name: 7 }, 'name must be a string, and is a number'),
  refused({ name: 'a/b' }, 'name must be 1 to 64 letters, digits, "_" or "-"'),
  refused({ name: '' }, 'name must be 1 to 64 letters, digits, "_" or "-"'),
  refused({ name: 'x'.repeat(65) }, 'name must be 1 to 64 letters, digits, "_" or "-"'),
  refused({ moduels: {} }, 'moduels is an unknown field: did you mean "modules"?'),
  refused({ colour: 'red' }, 'colour is an unknown field'),
  refused({ modules: { 'a b': { exec } } }, 'modules."a b" must be 1 to 64 letters, digits, "_" or "-"'),
  refused({ modules: { 'a\nb': { exec } } }, 'modules."a\\nb" must be 1 to 64 letters, digits, "_" or "-"'),
  refused({ modules: [] }, 'modules must be an object of modules by their names'),
  refused({ modules: { m: [] } }, 'modules.m must be an object'),
  refused({ modules: { m: {} } }, 'modules.m.exec is missing'),
  refused({ modules: { m: null } }, 'modules.m must be an object'),
  refused({ dialect: 'Azure' }, 'dialect must be "skerry" or "azure": did you mean "azure"?'),
  refused({ dialect: true }, 'dialect must be "skerry" or "azure"'),
];

export const REST: readonly Refused[] = [
  refused(route(5), 'routes.r must be a route, or an object with "route", "priority" and "ttl"'),
  refused(route(''), 'routes.r must be a route such as "FROM /messages/* INTO $upstream"'),
  refused(route({ rout: 'FROM /* INTO $upstream' }), 'routes.r.route is missing: did you mean it by "rout"?'),
  refused(
    route({ route: 'FROM /* INTO $upstream', prority: 1 }),
    'routes.r.prority is an unknown field: did you mean "priority"?',
  ),
  refused(route({ route: 'FROM /* INTO $upstream', priority: 10 }), 'routes.r.priority must be 0 to 9'),
  refused(
    route({ route: 'FROM /* INTO $upstream', ttl: '7 weeks' }),
    'routes.r.ttl must be a time such as "90s", "2h" or "7d"',
  ),
  refused(route('x'.repeat(4097)), 'routes.r must be at most 4096 characters'),
  refused(
    { routes: Object.fromEntries(Array.from({ length: 257 }, (_, at) => [`r${at}`, 'FROM'])) },
    'routes must have at most 256 routes',
  ),
  refused({ limits: { packetSize: 1000 } }, 'limits.packetSize must be at least "1K", and at most "1M"'),
  beyondSchema({ limits: { packetSize: '2M' } }, 'limits.packetSize must be at least "1K", and at most "1M"'),
  refused({ limits: { keepAlive: 0 } }, 'limits.keepAlive must be at least "1s", and at most "18h"'),
  refused({ limits: { connections: 0 } }, 'limits.connections must be at least 1'),
  refused({ limits: { connections: 10_241 } }, 'limits.connections must be at most 10240'),
  refused({ limits: { sessions: 0 } }, 'limits.sessions must be at least 1'),
  refused({ limits: { retained: 1_000_001 } }, 'limits.retained must be at most 1000000'),
  beyondSchema(
    { limits: { subscriptionBytes: '2G' } },
    'limits.subscriptionBytes must be at least "1", and at most "1G"',
  ),
  beyondSchema(
    { limits: { retainedBytes: '2G' } },
    'limits.retainedBytes must be at least "1", and at most "1G"',
  ),
  refused(
    { limits: { packetsize: '1M' } },
    'limits.packetsize is an unknown field: did you mean "packetSize"?',
  ),
  refused({ retained: 'no' }, 'retained must be true or false, and is a string'),
  refused(store({ ttl: 'soon' }), 'storeAndForward.ttl must be a time such as "90s", "2h" or "7d"'),
  refused(store({ ttl: -1 }), 'storeAndForward.ttl must be a time such as "90s", "2h" or "7d"'),
  refused(store({ maxsize: '1G' }), 'storeAndForward.maxsize is an unknown field: did you mean "maxSize"?'),
  beyondSchema(
    store({ maxSize: '1M' }),
    'storeAndForward.maxSize must be at least "8M", because the journals use 2M',
  ),
  refused(
    store({ maxSize: 4096 }),
    'storeAndForward.maxSize must be at least "8M", because the journals use 2M',
  ),
  refused(
    store({ whenFull: 'dropoldest' }),
    'storeAndForward.whenFull must be "reject" or "dropOldest": did you mean "dropOldest"?',
  ),
  beyondSchema(
    store({ commitWindow: '11s' }),
    'storeAndForward.commitWindow must be at most "10s", because senders wait for the commit',
  ),
  refused({ listeners: {} }, 'listeners must be an array of listeners, and is an object'),
  refused(listener('127.0.0.1:1883'), 'listeners[0] must be an object such as { "mqtt": "127.0.0.1:1883" }'),
  refused(listener({}), 'listeners[0] must have exactly one of "mqtt", "mqtts", "ws", "wss" or "unix"'),
  refused(
    listener({ mqt: '127.0.0.1:1883' }),
    'listeners[0] must have exactly one of "mqtt", "mqtts", "ws", "wss" or "unix": did you mean "mqtt"?',
  ),
  refused(
    listener({ mqtt: '127.0.0.1:0', ws: '127.0.0.1:0' }),
    'listeners[0] must have exactly one of "mqtt", "mqtts", "ws", "wss" or "unix"',
  ),
  refused(listener({ mqtt: 'localhost' }), 'listeners[0].mqtt must be "host:port", and is "localhost"'),
  beyondSchema(
    listener({ mqtt: 'localhost:65536' }),
    'listeners[0].mqtt must be "host:port", and is "localhost:65536"',
  ),
  refused(listener({ mqtt: 1883 }), 'listeners[0].mqtt must be "host:port", and is a number'),
  beyondSchema(
    listener({ mqtt: 'a:1' }, { ws: 'A:1' }),
    'listeners[1].ws is also the address of listeners[0]',
  ),
  beyondSchema(
    listener({ mqtt: '127.0.0.1:1' }, { ws: '0.0.0.0:1' }),
    'listeners[1].ws is also the address of listeners[0]',
  ),
  beyondSchema(
    listener({ mqtt: '[::]:1' }, { ws: 'a:1' }),
    'listeners[1].ws is also the address of listeners[0]',
  ),
  refused(listener({ ws: '127.0.0.1:0', cert: 'c.pem' }), 'listeners[0].cert is an unknown field'),
  refused(listener({ ws: 'a:1', path: 'mqtt' }), 'listeners[0].path must begin with "/"'),
  refused(
    listener({ ws: 'a:1', origins: ['https://a/b'] }),
    'listeners[0].origins[0] must be an origin such as "https://example.com"',
  ),
  ...['', 'https://a', 'a b', 'a:1', 'a..b'].map(host =>
    refused(
      listener({ ws: 'a:1', hosts: [host] }),
      'listeners[0].hosts[0] must be a host name such as "hub.example.com"',
    ),
  ),
  refused(listener({ mqtts: '0.0.0.0:8883' }), 'listeners[0].cert is missing'),
  refused(
    listener({ ...tls, ca: 'ca.pem' }),
    'listeners[0].ca is for client certificates: set "clientCertificates" to "optional" or "required"',
  ),
  refused(
    listener({ ...tls, crl: 'r' }),
    'listeners[0].crl is for client certificates: add "ca" and "clientCertificates"',
  ),
  refused(
    listener({ ...tls, clientCertificates: 'require' }),
    'listeners[0].clientCertificates must be "none", "optional" or "required": did you mean "required"?',
  ),
  refused(
    listener({ ...tls, clientCertificates: 'required' }),
    'listeners[0].ca is missing: set the file with the CA of the client certificates',
  ),
  refused(listener({ unix: 's', mode: '0777' }), 'listeners[0].mode must be "0600", "0660" or "0666"'),
  refused(user({}), 'users.u must have a "password" or a "certificate"'),
  refused(user({ certificate: '' }), 'users.u.certificate must not be empty'),
  refused(user({ pasword: 'a' }), 'users.u.pasword is an unknown field: did you mean "password"?'),
  refused(
    { users: { 'a/b': { certificate: 'x' } } },
    'users.a/b must be 1 to 64 letters, digits, "_", "-", "." or "@"',
  ),
  refused(
    { anonymous: { publish: Array.from({ length: 65 }, () => 'a') } },
    'anonymous.publish must have at most 64 topic filters',
  ),
  refused({ serial: 0 }, 'serial must be at least 1'),
  refused({ serial: '7' }, 'serial must be a number, and is a string'),
  refused({ for: 'a' }, 'for must be an array of device names, and is a string'),
  refused({ for: [] }, 'for must name a device: remove the field if every device may have the manifest'),
  ...['', 'a b', 'a*b*', 'a.b', 'x'.repeat(65)].map(device =>
    refused(
      { for: [device] },
      'for[0] must be the name of a device, in which one "*" stands for any characters',
    ),
  ),
  refused(
    { signature: { key: 'abc', value: 'abc' } },
    'signature.key must be a public key as "skerry sign" writes it',
  ),
  refused(
    { signature: { key: `${'A'.repeat(43)}=`, value: 'abc' } },
    'signature.value must be a signature as "skerry sign" writes it',
  ),
  refused(
    { deployment: { healtyFor: '5s' } },
    'deployment.healtyFor is an unknown field: did you mean "healthyFor"?',
  ),
  refused({ deployment: { within: 90_000 } }, 'deployment.within must be at most "1d"'),
  beyondSchema(
    { deployment: { healthyFor: '5m' } },
    'deployment.within is "2m", and must be at least "healthyFor", which is "5m"',
  ),
  refused({ hub: { arm: { sha256 } } }, 'hub.arm is an unknown field'),
  refused(
    { hub: { x64: { sha256: 'x' } } },
    'hub.x64.sha256 must be the SHA-256 of the file: 64 digits of 0 to 9 and a to f',
  ),
];
