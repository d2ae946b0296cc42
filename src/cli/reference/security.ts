import { DATA, type Definition, JSON_OUTPUT, KEY_ENV } from './definition.ts';

export const PASSWD = {
  name: 'passwd',
  group: 'security',
  summary: 'Prints the hash of a password, for "password" of a user in the manifest.',
  details: [
    'It asks for the password, or reads one line of standard input. A password is never an argument, because ' +
      'other users of the machine can read those.',
  ],
  role: 'local',
  arguments: [],
  options: {},
  examples: [{ line: 'skerry passwd', about: 'Ask for a password.' }],
  synonyms: ['password', 'hash'],
} as const satisfies Definition;

export const KEYGEN = {
  name: 'keygen',
  group: 'security',
  summary: 'Creates a key pair that signs manifests.',
  role: 'local',
  arguments: [],
  options: {
    out: {
      type: 'string',
      value: 'NAME',
      default: 'skerry',
      completes: 'file',
      about: 'Writes NAME.key, which is secret, and NAME.pub.',
    },
  },
  examples: [{ line: 'skerry keygen --out factory', about: 'Create factory.key and factory.pub.' }],
  synonyms: ['key', 'genkey'],
} as const satisfies Definition;

export const TRUST = {
  name: 'trust',
  group: 'security',
  summary: 'Installs a public key, so that the hub accepts only signed manifests, or lists such keys.',
  role: 'admin',
  arguments: [{ name: 'key.pub', optional: true, completes: 'file', about: 'Public key to install.' }],
  options: {
    list: { type: 'boolean', about: 'List the trusted keys.' },
    json: { type: 'boolean', about: 'With --list: print JSON.' },
    data: DATA,
  },
  examples: [
    { line: 'skerry trust factory.pub', about: 'Accept only what factory.key signed.' },
    { line: 'skerry trust --list', about: 'List the trusted keys.' },
  ],
} as const satisfies Definition;

export const SIGN = {
  name: 'sign',
  group: 'security',
  summary: 'Signs a manifest.',
  role: 'local',
  arguments: [{ name: 'manifest', completes: 'file', about: 'Manifest with a "serial".' }],
  options: {
    key: {
      type: 'string',
      value: 'FILE',
      completes: 'file',
      about: 'Secret key, as `skerry keygen` wrote it.',
    },
    'key-env': KEY_ENV,
    out: {
      type: 'string',
      value: 'FILE',
      completes: 'file',
      about: 'File to write; may be the manifest itself. Default: standard output.',
    },
    force: { type: 'boolean', about: 'Replace the file if it exists.' },
  },
  examples: [
    { line: 'skerry sign manifest.json --key factory.key --out signed.json', about: 'Sign a manifest.' },
  ],
} as const satisfies Definition;

export const VERIFY = {
  name: 'verify',
  group: 'security',
  summary: 'Verifies the signature of a manifest or a pack.',
  role: 'local',
  arguments: [
    { name: 'manifest | pack', completes: 'file', about: 'Signed manifest, or pack that holds one.' },
  ],
  options: {
    key: {
      type: 'string',
      value: 'PUB',
      completes: 'file',
      about: 'Public key. Default: the keys that the data folder trusts.',
    },
    json: JSON_OUTPUT,
    data: DATA,
  },
  exitCodes: { 0: 'The signature is good.', 1: 'The signature is missing or wrong.' },
  examples: [{ line: 'skerry verify signed.json --key factory.pub', about: 'Verify a signature.' }],
} as const satisfies Definition;

export const SEAL = {
  name: 'seal',
  group: 'security',
  summary: 'Encrypts a secret for one device, for "secrets" of a module in the manifest.',
  details: ['It asks for the secret, or reads standard input.'],
  role: 'local',
  arguments: [],
  options: {
    to: {
      type: 'string',
      value: 'PUB',
      completes: 'file',
      about: "The device's public key. Default: the key in the data folder, which is created if missing.",
    },
    data: DATA,
  },
  examples: [{ line: 'skerry seal --to device.pub < api-token', about: 'Encrypt a file.' }],
  synonyms: ['secret', 'encrypt'],
} as const satisfies Definition;
