import type { Definition, OptionDefinition } from './definition.ts';

/** Options that `pub` and `sub` share, named as mosquitto's clients name them. */
export const CLIENT_OPTIONS = {
  host: { type: 'string', short: 'h', value: 'HOST', default: '127.0.0.1', about: 'Host of the broker.' },
  port: { type: 'string', short: 'p', value: 'PORT', default: '1883', about: 'Port of the broker.' },
  qos: {
    type: 'string',
    short: 'q',
    value: 'QOS',
    default: '0',
    choices: ['0', '1'],
    about: 'Quality of service.',
  },
  id: { type: 'string', short: 'i', value: 'ID', about: 'Client identifier. Default: a random one.' },
  username: { type: 'string', short: 'u', value: 'USER', about: 'User name.' },
  pw: { type: 'string', short: 'P', value: 'PASSWORD', about: 'Password.' },
  'protocol-version': {
    type: 'string',
    short: 'V',
    value: 'VERSION',
    default: '311',
    choices: ['311', 'mqttv311', '4'],
    about: 'Version of MQTT.',
  },
} as const satisfies Record<string, OptionDefinition>;

export const PUB = {
  name: 'pub',
  group: 'messages',
  summary: 'Publishes one message, or each line of standard input, to an MQTT broker.',
  details: ['It takes the options of mosquitto_pub: -h is the host, and help is `--help`.'],
  role: 'local',
  arguments: [],
  options: {
    topic: { type: 'string', short: 't', value: 'TOPIC', required: true, about: 'Topic to publish to.' },
    message: { type: 'string', short: 'm', value: 'TEXT', about: 'Body of the message.' },
    lines: { type: 'boolean', short: 'l', about: 'Publish each line of standard input.' },
    null: { type: 'boolean', short: 'n', about: 'Publish an empty message.' },
    retain: { type: 'boolean', short: 'r', about: 'Let the broker keep the message for later subscribers.' },
    ...CLIENT_OPTIONS,
  },
  examples: [
    { line: 'skerry pub -t shop/door -m \'{"open":true}\' -q 1', about: 'Publish, and wait for the PUBACK.' },
    { line: 'skerry pub -t shop/door -n -r', about: 'Clear a retained message.' },
  ],
  synonyms: ['publish', 'send', 'mosquitto_pub'],
} as const satisfies Definition;

export const SUB = {
  name: 'sub',
  group: 'messages',
  summary: 'Prints what is published on topics of an MQTT broker.',
  details: ['It takes the options of mosquitto_sub: -h is the host, and help is `--help`.'],
  role: 'local',
  arguments: [],
  options: {
    topic: {
      type: 'string',
      short: 't',
      value: 'FILTER',
      multiple: true,
      required: true,
      about: 'Topic filter; may be repeated.',
    },
    verbose: { type: 'boolean', short: 'v', about: 'Print the topic before each message.' },
    count: { type: 'string', short: 'C', value: 'N', about: 'End after N messages.' },
    'disable-clean-session': {
      type: 'boolean',
      short: 'c',
      about: 'Keep the session when this client leaves; needs -i.',
    },
    ...CLIENT_OPTIONS,
  },
  examples: [
    { line: "skerry sub -t '#' -v", about: 'Print everything.' },
    { line: "skerry sub -t 'modules/door/outputs/#' -C 1", about: 'Wait for one message of a module.' },
  ],
  synonyms: ['subscribe', 'listen', 'mosquitto_sub'],
} as const satisfies Definition;
