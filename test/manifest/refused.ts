/** A manifest that is refused: its fields beside a name, or its whole text; and the sentence, without the file. */
export type Refused = {
  readonly fields: object | string;
  readonly sentence: string;
  /** JSON Schema cannot say it: an editor lets it pass. */
  readonly unsaid?: true;
};

const exec = ['./m'];
const tls = { mqtts: '0.0.0.0:8883', cert: 'c', key: 'k' };
const sha256 = 'a'.repeat(64);
const module = (more: object): object => ({ modules: { m: { exec, ...more } } });
const listener = (...listeners: unknown[]): object => ({ listeners });
const store = (storeAndForward: unknown): object => ({ storeAndForward });
const user = (u: unknown): object => ({ users: { u } });
const route = (r: unknown): object => ({ routes: { r } });

const refused = (fields: object | string, sentence: string): Refused => ({ fields, sentence });
const unsaid = (fields: object | string, sentence: string): Refused => ({ fields, sentence, unsaid: true });

const NAMES: readonly Refused[] = [
  refused({ name: 7 }, 'name must be a text, and is a number'),
  refused({ name: 'a/b' }, 'name must be 1 to 64 letters, digits, "_" or "-"'),
  refused({ name: '' }, 'name must be 1 to 64 letters, digits, "_" or "-"'),
  refused({ name: 'x'.repeat(65) }, 'name must be 1 to 64 letters, digits, "_" or "-"'),
  refused({ moduels: {} }, 'moduels is not a field this skerry knows: did you mean "modules"?'),
  refused({ colour: 'red' }, 'colour is not a field this skerry knows'),
  refused({ modules: { 'a b': { exec } } }, 'modules."a b" must be 1 to 64 letters, digits, "_" or "-"'),
  refused({ modules: { 'a\nb': { exec } } }, 'modules."a\\nb" must be 1 to 64 letters, digits, "_" or "-"'),
  refused({ modules: [] }, 'modules must be an object of modules by their names'),
  refused({ modules: { m: [] } }, 'modules.m must be an object'),
  refused({ modules: { m: {} } }, 'modules.m.exec is missing'),
  refused({ modules: { m: null } }, 'modules.m must be an object'),
  refused({ dialect: 'Azure' }, 'dialect must be "skerry" or "azure": did you mean "azure"?'),
  refused({ dialect: true }, 'dialect must be "skerry" or "azure"'),
];

const MODULES: readonly Refused[] = [
  refused(
    module({ restat: 'always' }),
    'modules.m.restat is not a field this skerry knows: did you mean "restart"?',
  ),
  refused(module({ colour: 'red' }), 'modules.m.colour is not a field this skerry knows'),
  refused(
    module({ exec: './m' }),
    'modules.m.exec must be a list of the program and its arguments, and is a text',
  ),
  refused(module({ exec: [] }), 'modules.m.exec must name the program to run'),
  refused(module({ exec: [''] }), 'modules.m.exec must name the program to run'),
  refused(module({ exec: ['a', 1] }), 'modules.m.exec[1] must be a text, and is a number'),
  refused(module({ exec: ['a', 'b\0'] }), 'modules.m.exec[1] must not contain a NUL'),
  refused(module({ io: 'line' }), 'modules.m.io must be "lines" or "mqtt": did you mean "lines"?'),
  refused(
    module({ restart: 'alway' }),
    'modules.m.restart must be "never", "on-failure", "on-unhealthy" or "always": did you mean "always"?',
  ),
  refused(
    module({ restart: 'perhaps' }),
    'modules.m.restart must be "never", "on-failure", "on-unhealthy" or "always"',
  ),
  refused(module({ env: [] }), 'modules.m.env must be an object of texts by variables'),
  refused(module({ env: { PORT: 80 } }), 'modules.m.env.PORT must be a text in quotes, and is a number'),
  refused(
    module({ env: { '1ST': 'a' } }),
    'modules.m.env.1ST is not a name for a variable: letters, digits and "_", and no digit first',
  ),
  refused(
    module({ env: { SKERRY_TOKEN: 'a' } }),
    `modules.m.env.SKERRY_TOKEN begins with "SKERRY_": such variables are the hub's own`,
  ),
  refused(module({ env: { A: 'a\0' } }), 'modules.m.env.A must not contain a NUL'),
  refused(
    module({ secrets: { A: 'hunter2' } }),
    'modules.m.secrets.A must be what "skerry seal" prints: it begins with "sealed:"',
  ),
  refused(
    module({ secrets: { A: { sealed: 'sealed:AA==', as: 'fil' } } }),
    'modules.m.secrets.A.as must be "variable" or "file": did you mean "file"?',
  ),
  refused(
    module({ secrets: { A: 5 } }),
    'modules.m.secrets.A must be what "skerry seal" prints, or an object with "sealed" and "as"',
  ),
  refused(
    module({ secrets: { SKERRY_RUN: 'sealed:AA==' } }),
    `modules.m.secrets.SKERRY_RUN begins with "SKERRY_": such variables are the hub's own`,
  ),
  unsaid(module({ env: { A: 'a' }, secrets: { A: 'sealed:AA==' } }), 'modules.m.secrets.A is in "env" too'),
  refused(module({ startupOrder: 1.5 }), 'modules.m.startupOrder must be a whole number'),
  refused(module({ startupOrder: 1e9 }), 'modules.m.startupOrder must be at most 1000000'),
  refused(
    module({ stopSignal: 'SIGTREM' }),
    'modules.m.stopSignal must be "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2" or "SIGKILL": did you mean "SIGTERM"?',
  ),
  refused(
    module({ stopGraceSeconds: '10' }),
    'modules.m.stopGraceSeconds must be a number of seconds, and is a text',
  ),
  refused(module({ stopGraceSeconds: -1 }), 'modules.m.stopGraceSeconds must be at least 0'),
  refused(module({ tty: 'yes' }), 'modules.m.tty must be true or false, and is a text'),
  unsaid(module({ ack: true }), 'modules.m.ack is for modules with "io": "lines"'),
  unsaid(
    module({ io: 'lines', ack: true, tty: true }),
    'modules.m.ack cannot be with "tty": all that it prints is log',
  ),
  refused(module({ backoff: { factor: 0.5 } }), 'modules.m.backoff.factor must be at least 1'),
  refused(module({ backoff: { factor: 11 } }), 'modules.m.backoff.factor must be at most 10'),
  unsaid(
    module({ backoff: { firstSeconds: 90 } }),
    'modules.m.backoff.mostSeconds is 60, and must be at least "firstSeconds", which is 90',
  ),
  refused(module({ health: {} }), 'modules.m.health must name one of "exec", "tcp" and "mqtt": true'),
  refused(
    module({ health: { tcp: 80, mqtt: true } }),
    'modules.m.health must name one of "exec", "tcp" and "mqtt": true',
  ),
  refused(module({ health: { tcp: 65_536 } }), 'modules.m.health.tcp must be at most 65535'),
  refused(
    module({ health: { tcp: 80, treshold: 2 } }),
    'modules.m.health.treshold is not a field this skerry knows: did you mean "threshold"?',
  ),
  refused(
    module({ health: { tcp: 80, timeoutSeconds: 0 } }),
    'modules.m.health.timeoutSeconds must be at least 0.1',
  ),
  refused(module({ limits: { memory: 'much' } }), 'modules.m.limits.memory must be a size such as "512M"'),
  refused(module({ limits: { memory: '32MB' } }), 'modules.m.limits.memory must be a size such as "512M"'),
  refused(
    module({ limits: { memory: 0 } }),
    'modules.m.limits.memory must be at least "1M": no program starts in less',
  ),
  unsaid(
    module({ limits: { memory: '32M', memoryHigh: '1G' } }),
    'modules.m.limits.memoryHigh is "1G", and must be at most "memory", which is "32M"',
  ),
  refused(
    module({ limits: { cpu: 'half' } }),
    'modules.m.limits.cpu must be a number of processors, and is a text',
  ),
  refused(
    module({ limits: { cpus: 1 } }),
    'modules.m.limits.cpus is not a field this skerry knows: did you mean "cpu"?',
  ),
  refused(
    module({ sandbox: 'strickt' }),
    'modules.m.sandbox must be "none", "standard" or "strict": did you mean "strict"?',
  ),
  refused(module({ user: '' }), 'modules.m.user is empty'),
  refused(
    module({ devices: ['/dev/../etc/shadow'] }),
    'modules.m.devices[0] must be a device such as "/dev/i2c-1"',
  ),
  refused(module({ devices: ['/dev/i2c-1', '/dev/i2c-1'] }), 'modules.m.devices[1] is there twice'),
  refused(module({ publish: 'a' }), 'modules.m.publish must be a list of topic filters, and is a text'),
  refused(module({ subscribe: [1] }), 'modules.m.subscribe[0] must be a topic filter, and is a number'),
  refused(
    module({ bundle: { sha256: 'abc' } }),
    'modules.m.bundle.sha256 must be the SHA-256 of the file: 64 digits of 0 to 9 and a to f',
  ),
  refused(module({ bundle: { from: 'a.tar' } }), 'modules.m.bundle.sha256 is missing'),
  refused(
    module({ bundle: { sha256, from: 'http://example.org/a.tar' } }),
    'modules.m.bundle.from must be a path or an address that begins with "https://"',
  ),
  refused(module({ bundle: { sha256, files: 0 } }), 'modules.m.bundle.files must be at least 1'),
];

const REST: readonly Refused[] = [
  refused(route(5), 'routes.r must be a route, or an object with "route", "priority" and "ttl"'),
  refused(route(''), 'routes.r must be a route such as "FROM /messages/* INTO $upstream"'),
  refused(route({ rout: 'FROM /* INTO $upstream' }), 'routes.r.route is missing: did you mean it by "rout"?'),
  refused(
    route({ route: 'FROM /* INTO $upstream', prority: 1 }),
    'routes.r.prority is not a field this skerry knows: did you mean "priority"?',
  ),
  refused(route({ route: 'FROM /* INTO $upstream', priority: 10 }), 'routes.r.priority must be at most 9'),
  refused(
    route({ route: 'FROM /* INTO $upstream', ttl: '7 weeks' }),
    'routes.r.ttl must be a time such as "90s", "2h" or "7d"',
  ),
  refused(route('x'.repeat(4097)), 'routes.r must be at most 4096 characters'),
  refused(
    { routes: Object.fromEntries(Array.from({ length: 257 }, (_, at) => [`r${at}`, 'FROM'])) },
    'routes must have at most 256 routes',
  ),
  refused(store({ ttl: 'soon' }), 'storeAndForward.ttl must be a time such as "90s", "2h" or "7d"'),
  refused(store({ ttl: -1 }), 'storeAndForward.ttl must be a time such as "90s", "2h" or "7d"'),
  refused(
    store({ maxsize: '1G' }),
    'storeAndForward.maxsize is not a field this skerry knows: did you mean "maxSize"?',
  ),
  unsaid(
    store({ maxSize: '1M' }),
    'storeAndForward.maxSize must be at least "8M": the journals take 2 of them',
  ),
  refused(
    store({ maxSize: 4096 }),
    'storeAndForward.maxSize must be at least "8M": the journals take 2 of them',
  ),
  unsaid(
    store({ maxQueueSize: '1G' }),
    'storeAndForward.maxQueueSize is "1G", and must be at most "maxSize", which is "512M"',
  ),
  refused(
    store({ whenFull: 'dropoldest' }),
    'storeAndForward.whenFull must be "reject" or "dropOldest": did you mean "dropOldest"?',
  ),
  unsaid(
    store({ commitWindow: '11s' }),
    'storeAndForward.commitWindow must be at most "10s": senders wait for it',
  ),
  refused({ listeners: {} }, 'listeners must be a list of listeners, and is an object'),
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
  unsaid(
    listener({ mqtt: 'localhost:65536' }),
    'listeners[0].mqtt must be "host:port", and is "localhost:65536"',
  ),
  refused(listener({ mqtt: 1883 }), 'listeners[0].mqtt must be "host:port", and is a number'),
  unsaid(listener({ mqtt: 'a:1' }, { ws: 'A:1' }), 'listeners[1].ws is the address of listeners[0] too'),
  refused(
    listener({ ws: '127.0.0.1:0', cert: 'c.pem' }),
    'listeners[0].cert is not a field this skerry knows',
  ),
  refused(listener({ ws: 'a:1', path: 'mqtt' }), 'listeners[0].path must begin with "/"'),
  refused(
    listener({ ws: 'a:1', origins: ['https://a/b'] }),
    'listeners[0].origins[0] must be an origin such as "https://example.com"',
  ),
  refused(listener({ mqtts: '0.0.0.0:8883' }), 'listeners[0].cert is missing'),
  refused(
    listener({ ...tls, ca: 'ca.pem' }),
    'listeners[0].ca is for certificates of clients: say "clientCertificates": "optional" or "required"',
  ),
  refused(
    listener({ ...tls, clientCertificates: 'require' }),
    'listeners[0].clientCertificates must be "none", "optional" or "required": did you mean "required"?',
  ),
  refused(
    listener({ ...tls, clientCertificates: 'required' }),
    'listeners[0].ca is missing: it says which certificates of clients are good',
  ),
  refused(listener({ unix: 's', mode: '0777' }), 'listeners[0].mode must be "0600", "0660" or "0666"'),
  refused(user({}), 'users.u must have a "password" or a "certificate", to be known by'),
  refused(user({ certificate: '' }), 'users.u.certificate must not be empty'),
  refused(
    user({ pasword: 'a' }),
    'users.u.pasword is not a field this skerry knows: did you mean "password"?',
  ),
  refused(
    { users: { 'a/b': { certificate: 'x' } } },
    'users.a/b must be 1 to 64 letters, digits, "_", "-", "." or "@"',
  ),
  refused(
    { anonymous: { publish: Array.from({ length: 65 }, () => 'a') } },
    'anonymous.publish must have at most 64 topic filters',
  ),
  refused({ upstream: {} }, 'upstream.url is missing'),
  refused(
    { upstream: { url: 'http://u:hunter2@parent' } },
    'upstream.url must be an address such as "mqtt://parent:1883"',
  ),
  refused(
    { upstream: { url: 'mqtt://parent/devices' } },
    'upstream.url must be an address such as "mqtt://parent:1883"',
  ),
  unsaid(
    { upstream: { url: 'mqtt://u:%zz@parent' } },
    'upstream.url must be an address such as "mqtt://parent:1883"',
  ),
  refused({ upstream: 'mqtt://parent' }, 'upstream must be an object'),
  refused({ serial: 0 }, 'serial must be at least 1'),
  refused({ serial: '7' }, 'serial must be a number, and is a text'),
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
    'deployment.healtyFor is not a field this skerry knows: did you mean "healthyFor"?',
  ),
  unsaid(
    { deployment: { healthyFor: '5m' } },
    'deployment.within is "2m", and must be at least "healthyFor", which is "5m"',
  ),
  refused({ hub: { arm: { sha256 } } }, 'hub.arm is not a field this skerry knows'),
  refused(
    { hub: { x64: { sha256: 'x' } } },
    'hub.x64.sha256 must be the SHA-256 of the file: 64 digits of 0 to 9 and a to f',
  ),
];

const TEXTS: readonly Refused[] = [
  refused('', 'The manifest m.json is not JSON at line 1, column 1: it ends too early.'),
  refused('[]', 'The manifest as a whole must be an object such as { "name": "shop", "modules": {} }'),
  refused('"a"', 'The manifest as a whole must be an object such as { "name": "shop", "modules": {} }'),
  refused('{}', 'name is missing'),
  refused(
    '{"name":"a",}',
    'The manifest m.json is not JSON at line 1, column 13: a comma before "}" is one too many.',
  ),
  refused('{"name":"a"', 'The manifest m.json is not JSON at line 1, column 12: it ends too early.'),
  refused(
    '{"name":"a"\n "modules":{}}',
    'The manifest m.json is not JSON at line 2, column 2: a "," or "}" is expected.',
  ),
  refused(
    '{name:"a"}',
    'The manifest m.json is not JSON at line 1, column 2: the name of a field is expected, in double quotes.',
  ),
  refused(
    "{'name':'a'}",
    'The manifest m.json is not JSON at line 1, column 2: a text stands in double quotes, not in single ones.',
  ),
  refused(
    '{\n  // the shop\n  "name":"a"}',
    'The manifest m.json is not JSON at line 2, column 3: it cannot hold comments.',
  ),
  refused(
    '{"name":"a","listeners":[{"mqtt":"a:1"},]}',
    'The manifest m.json is not JSON at line 1, column 41: a comma before "]" is one too many.',
  ),
  refused(
    '{"name":hunter2}',
    'The manifest m.json is not JSON at line 1, column 9: a value is expected, and a text stands in double quotes.',
  ),
  refused('{"name":"hunter2}', 'The manifest m.json is not JSON at line 1, column 9: a text is not closed.'),
  refused(
    '{"name":"a\\x"}',
    'The manifest m.json is not JSON at line 1, column 11: a "\\" that JSON does not know stands in a text.',
  ),
  refused(
    '{"name":"a\tb"}',
    'The manifest m.json is not JSON at line 1, column 11: a control character stands in a text.',
  ),
  refused(
    '{"name":"a"} {',
    'The manifest m.json is not JSON at line 1, column 14: something follows its end.',
  ),
  refused(
    '\ufeff{"name":"a"}',
    'The manifest m.json is not JSON at line 1, column 1: it begins with a byte order mark, and must be saved without one.',
  ),
  refused(
    '{"name":"a"}'.replace('a', '\u0001'),
    'The manifest m.json is not JSON at line 1, column 4: a control character stands in a text.',
  ),
  unsaid('{"name":"a","name":"b"}', 'name is there twice'),
  unsaid(
    '{"name":"a","modules":{"host":{"exec":["a"]},"host":{"exec":["b"]}}}',
    'modules.host is there twice',
  ),
  unsaid(
    '{"name":"a","listeners":[{"mqtt":"a:1"},{"ws":"a:2","\\u0077s":"a:3"}]}',
    'listeners[1].ws is there twice',
  ),
  refused(
    '{"name":"a","modules":{"__proto__":{"exec":["a"]}}}',
    'modules.__proto__ is a name that cannot be used',
  ),
  refused('{"name":"a","constructor":{}}', 'constructor is a name that cannot be used'),
  refused(
    `{"name":${'['.repeat(40)}${']'.repeat(40)}}`,
    'The manifest m.json is nested too deep at line 1, column 40: 32 levels are the most.',
  ),
  refused(
    `{"name":"${'a'.repeat(1 << 20)}"}`,
    'The manifest m.json is larger than 1 MB, the most that is read.',
  ),
];

export const REFUSED: readonly Refused[] = [...NAMES, ...MODULES, ...REST, ...TEXTS];

export function textOf({ fields }: Refused): string {
  return typeof fields === 'string' ? fields : JSON.stringify({ name: 'a', ...fields });
}
