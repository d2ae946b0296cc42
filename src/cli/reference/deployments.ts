import { DATA, type Definition, JSON_OUTPUT, KEY_ENV } from './definition.ts';

export const APPLY = {
  name: 'apply',
  group: 'deployments',
  summary: 'Changes what the running hub runs, and waits until that is healthy or rolled back.',
  details: [
    'The hub compares the manifest with what runs, changes only what differs, and watches the modules. If ' +
      'they do not become healthy, it rolls back to the last healthy manifest.',
  ],
  role: 'admin',
  requests: ['apply', 'apply preview', 'deployment'],
  arguments: [{ name: 'manifest | pack', completes: 'file', about: 'Manifest, or pack that holds one.' }],
  options: {
    'dry-run': { type: 'boolean', about: 'Show what would change, and change nothing.' },
    print: { type: 'boolean', about: 'Print the manifest with all defaults, and change nothing.' },
    'no-wait': { type: 'boolean', about: 'Return as soon as the hub has accepted the manifest.' },
    json: JSON_OUTPUT,
    data: DATA,
  },
  exitCodes: {
    0: 'The manifest runs and is healthy, or nothing differs.',
    1: 'The hub rolled back, or does not answer.',
    2: 'The manifest was refused, and nothing changed.',
  },
  examples: [
    { line: 'skerry apply manifest.json --dry-run', about: 'Show the plan.' },
    { line: 'skerry apply update.skerry', about: 'Deploy a pack.' },
  ],
  synonyms: ['deploy', 'update', 'install', 'push', 'reload'],
} as const satisfies Definition;

export const PACK = {
  name: 'pack',
  group: 'deployments',
  summary: 'Puts a manifest and the files that it names into one file for a device, or lists such a file.',
  role: 'local',
  arguments: [
    { name: 'manifest | pack', completes: 'file', about: 'Manifest to pack; with --list, the pack to list.' },
  ],
  options: {
    out: {
      type: 'string',
      short: 'o',
      value: 'FILE',
      default: 'update.skerry',
      completes: 'file',
      about: 'File to write.',
    },
    key: {
      type: 'string',
      value: 'FILE',
      completes: 'file',
      about: 'Sign the manifest with this secret key.',
    },
    'key-env': KEY_ENV,
    force: { type: 'boolean', about: 'Replace the file if it exists.' },
    list: { type: 'boolean', about: 'List the contents of a pack.' },
    json: { type: 'boolean', about: 'With --list: print JSON.' },
  },
  examples: [
    { line: 'skerry pack manifest.json -o shop-7.skerry', about: 'Make a pack.' },
    { line: 'skerry pack manifest.json --key factory.key', about: 'Make a pack and sign it.' },
    { line: 'skerry pack --list shop-7.skerry', about: 'Show what is in it.' },
  ],
  synonyms: ['bundle', 'package', 'archive'],
} as const satisfies Definition;

export const IMPORT = {
  name: 'import',
  group: 'deployments',
  summary: 'Turns a deployment of Azure IoT Edge into a manifest.',
  details: ['Each thing that is left to do is a line on standard error.'],
  role: 'local',
  arguments: [
    { name: 'azure-deployment.json', completes: 'file', about: 'Deployment, or deployment template.' },
  ],
  options: {
    out: {
      type: 'string',
      value: 'FILE',
      completes: 'file',
      about: 'File to write, with mode 0600. Default: standard output.',
    },
    force: { type: 'boolean', about: 'Replace the file if it exists.' },
  },
  examples: [{ line: 'skerry import deployment.json --out manifest.json', about: 'Write a manifest.' }],
  synonyms: ['convert', 'migrate'],
} as const satisfies Definition;

export const SCHEMA = {
  name: 'schema',
  group: 'deployments',
  summary: 'Prints the JSON Schema of manifests, for editors.',
  role: 'local',
  arguments: [],
  options: {},
  examples: [{ line: 'skerry schema > skerry.schema.json', about: 'Save it beside the manifest.' }],
} as const satisfies Definition;

export const PROVISION = {
  name: 'provision',
  group: 'deployments',
  summary: 'Takes in the keys, the name and the manifest that were prepared for this device in a folder.',
  details: [
    'The folder can hold "trusted/*.pub" (keys whose manifests the hub accepts), "name.txt" (the name of the ' +
      'device, or the word "serial" for the serial number of the board), and one manifest.json or one *.skerry ' +
      'pack.',
    'The command waits until the manifest is healthy, then overwrites and removes these files, and writes ' +
      '"device.pub" (the key to seal secrets for this device) and "status.txt". After a failure the files ' +
      'stay, and "status.txt" gives the reason.',
  ],
  role: 'admin',
  requests: ['apply', 'apply preview', 'deployment'],
  arguments: [{ name: 'folder', completes: 'folder', about: 'Folder, such as /boot/firmware/skerry.' }],
  options: { data: DATA },
  exitCodes: {
    0: 'The device is provisioned, or the folder holds nothing to take in.',
    1: 'The hub does not answer or rolled back, or files cannot be written.',
    2: 'A file was refused. All files stay.',
  },
  examples: [
    { line: 'skerry provision /boot/firmware/skerry', about: 'Provision a device from its boot partition.' },
  ],
  synonyms: ['first-boot', 'setup', 'enroll'],
} as const satisfies Definition;
