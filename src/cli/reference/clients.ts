import type { Definition, OptionDefinition } from './definition.ts';

const QOS = ['0', '1', '2'];

/** Options of both `pub` and `sub`, with the names that mosquitto's clients use. */
const CLIENT_OPTIONS = {
  qos: { type: 'string', short: 'q', value: 'QOS', default: '0', choices: QOS, about: 'Quality of service.' },
  host: { type: 'string', short: 'h', value: 'HOST', default: '127.0.0.1', about: 'Host of the broker.' },
  port: {
    type: 'string',
    short: 'p',
    value: 'PORT',
    about: 'Port of the broker. Default: 1883, and 8883 with TLS.',
  },
  unix: {
    type: 'string',
    value: 'PATH',
    completes: 'file',
    about: 'Unix socket of the broker, instead of a host and a port.',
  },
  ws: { type: 'boolean', about: 'Connect by WebSocket.' },
  'ws-path': { type: 'string', value: 'PATH', default: '/mqtt', about: 'Path of the WebSocket.' },
  tls: { type: 'boolean', about: 'Connect by TLS, and trust the CA certificates of this machine.' },
  cafile: {
    type: 'string',
    value: 'FILE',
    completes: 'file',
    about: 'Connect by TLS, and trust the CA certificates in this PEM file.',
  },
  cert: {
    type: 'string',
    value: 'FILE',
    completes: 'file',
    about: 'Client certificate, in PEM; needs --key.',
  },
  key: { type: 'string', value: 'FILE', completes: 'file', about: 'Key of the client certificate, in PEM.' },
  insecure: {
    type: 'boolean',
    about: 'Accept a server certificate for another host name: the server may be anyone whom the CA signed.',
  },
  id: { type: 'string', short: 'i', value: 'ID', about: 'Client identifier. Default: a random one.' },
  username: { type: 'string', short: 'u', value: 'USER', about: 'User name.' },
  pw: {
    type: 'string',
    short: 'P',
    value: 'PASSWORD',
    about: 'Password; other users of the machine can see it.',
  },
  keepalive: { type: 'string', short: 'k', value: 'SECONDS', default: '60', about: 'Keep-alive interval.' },
  'protocol-version': {
    type: 'string',
    short: 'V',
    value: 'VERSION',
    default: '311',
    choices: ['311', '5', 'mqttv311', 'mqttv5'],
    about: 'Version of MQTT.',
  },
  'will-topic': { type: 'string', value: 'TOPIC', about: 'Topic of the will, if there is to be one.' },
  'will-payload': { type: 'string', value: 'TEXT', about: 'Body of the will. Default: empty.' },
  'will-qos': {
    type: 'string',
    value: 'QOS',
    default: '0',
    choices: QOS,
    about: 'Quality of service of the will.',
  },
  'will-retain': { type: 'boolean', about: 'Let the broker keep the will for later subscribers.' },
} as const satisfies Record<string, OptionDefinition>;

export const PUB = {
  name: 'pub',
  group: 'messages',
  summary: 'Publishes messages to an MQTT broker.',
  details: [
    'It ends when the broker has acknowledged all of them. The options are those of mosquitto_pub: -h is the host.',
  ],
  role: 'local',
  arguments: [],
  options: {
    topic: { type: 'string', short: 't', value: 'TOPIC', required: true, about: 'Topic to publish to.' },
    message: { type: 'string', short: 'm', value: 'TEXT', about: 'Publish this text.' },
    file: {
      type: 'string',
      short: 'f',
      value: 'FILE',
      completes: 'file',
      about: 'Publish the content of a file.',
    },
    'stdin-file': { type: 'boolean', short: 's', about: 'Publish all of standard input as one message.' },
    lines: { type: 'boolean', short: 'l', about: 'Publish each line of standard input.' },
    null: { type: 'boolean', short: 'n', about: 'Publish an empty message.' },
    retain: { type: 'boolean', short: 'r', about: 'Let the broker keep the message for later subscribers.' },
    ...CLIENT_OPTIONS,
  },
  exitCodes: { 1: 'The broker cannot be reached, or refused the connection or a message.' },
  examples: [
    { line: `skerry pub -t shop/door -m '{"open":true}' -q 1`, about: 'Publish, and wait for the PUBACK.' },
    { line: 'skerry pub -t shop/door -n -r', about: 'Clear a retained message.' },
    {
      line: 'skerry pub -h hub.example --cafile ca.pem --cert me.pem --key me.key -t a -m hello -V 5 -q 2',
      about: 'Publish exactly once by TLS, with a client certificate and MQTT 5.',
    },
  ],
  synonyms: ['publish', 'send', 'mosquitto_pub'],
} as const satisfies Definition;

export const SUB = {
  name: 'sub',
  group: 'messages',
  summary: 'Prints what is published on topics of an MQTT broker.',
  details: ['The options are those of mosquitto_sub: -h is the host.'],
  role: 'local',
  arguments: [],
  options: {
    topic: {
      type: 'string',
      short: 't',
      value: 'FILTER',
      multiple: true,
      required: true,
      about: 'Topic filter.',
    },
    verbose: { type: 'boolean', short: 'v', about: 'Print the topic before each message.' },
    format: {
      type: 'string',
      short: 'F',
      value: 'FORMAT',
      about:
        'Print each message in this format of mosquitto_sub: fields as %t (topic), %p (payload), %x (payload in hexadecimal), %l (its length), %q, %r, %j and %J (JSON), %I and %U (time), %P (user properties), @Y and others of strftime; escapes as \\n.',
    },
    'no-newline': { type: 'boolean', short: 'N', about: 'Print no line feed after a message.' },
    'no-retained': { type: 'boolean', short: 'R', about: 'Do not print retained messages.' },
    count: { type: 'string', short: 'C', value: 'N', about: 'End after N messages.' },
    timeout: {
      type: 'string',
      short: 'W',
      value: 'SECONDS',
      about: 'End after this time, with exit code 1.',
    },
    'disable-clean-session': {
      type: 'boolean',
      short: 'c',
      about: 'Keep the session when this client leaves; needs -i.',
    },
    ...CLIENT_OPTIONS,
  },
  exitCodes: {
    0: 'N messages were printed.',
    1: 'The broker cannot be reached or refused a subscription, or the time of -W is over.',
  },
  examples: [
    { line: "skerry sub -t '#' -v", about: 'Print everything.' },
    { line: "skerry sub -t 'modules/door/outputs/#' -C 1", about: 'Wait for one message of a module.' },
    { line: "skerry sub -t '#' -V 5 -F '%I %t %J'", about: 'Print time, topic and all else as JSON.' },
    { line: "skerry sub --unix /var/lib/skerry/mqtt.sock -t '#' -v", about: 'Connect by a Unix socket.' },
    { line: "skerry sub -h hub.example -p 443 --ws --tls -t '#'", about: 'Connect by WebSocket and TLS.' },
  ],
  synonyms: ['subscribe', 'listen', 'mosquitto_sub'],
} as const satisfies Definition;
