import { isJsonObject } from '../json/json-object.ts';
import type { OptionContext, Options } from './docker-options.ts';
import { isEmpty } from './document.ts';
import { shown } from './remark.ts';

/**
 * Function that returns the remark about a Docker option. Receives the name of the module and the value of
 * the option.
 */
type Advice = (module: string, value: unknown) => string;

const exec: Advice = (module, value) =>
  `the container ran ${shown(value)}: set modules.${module}.exec to the command of the native program`;
const network: Advice = (_, value) =>
  `${shown(value)} is not needed: modules use the network of the machine, and reach each other at 127.0.0.1 instead of by name`;
const limit =
  (field: string): Advice =>
  (module, value) =>
    `${shown(value)} is left out: set modules.${module}.limits.${field}`;
const permissions: Advice = (module, value) =>
  `${shown(value)} is not converted: a module has the permissions of the hub's user unless modules.${module}.sandbox or user restricts them`;

/** Remarks about Docker options, by the option's name in lower case. */
const ADVICE: Readonly<Record<string, Advice>> = {
  cmd: exec,
  entrypoint: exec,
  workingdir: (module, value) =>
    `the container started in ${shown(value)}, but a module starts in the folder of the manifest or of its bundle: correct the paths in modules.${module}.exec`,
  user: (module, value) =>
    `${shown(value)} is a user in the image: set modules.${module}.user to a user of this machine, or to "dynamic"`,
  healthcheck: (module, value) =>
    `${shown(isJsonObject(value) ? value['Test'] : value)} was the health check of the container: set modules.${module}.health`,
  stopsignal: (module, value) =>
    `${shown(value)} is left out: set modules.${module}.stopSignal to a supported signal`,
  stoptimeout: (module, value) =>
    `${shown(value)} is left out: set modules.${module}.stopGraceSeconds to 0 to 3600`,
  exposedports: () => 'is not needed: a module opens ports of this machine directly',
  hostname: network,
  domainname: network,
  networkingconfig: network,
  'hostconfig.networkmode': network,
  'hostconfig.dns': network,
  'hostconfig.links': network,
  'hostconfig.extrahosts': (_, value) =>
    `${shown(value)} is not converted: add the entry to /etc/hosts of this machine`,
  'hostconfig.privileged': permissions,
  'hostconfig.capadd': permissions,
  'hostconfig.capdrop': permissions,
  'hostconfig.securityopt': permissions,
  'hostconfig.readonlyrootfs': permissions,
  'hostconfig.groupadd': permissions,
  'hostconfig.memory': limit('memory'),
  'hostconfig.memoryreservation': limit('memoryHigh'),
  'hostconfig.memoryswap': () => 'is not needed: a module with a memory limit gets no swap',
  'hostconfig.nanocpus': limit('cpu'),
  'hostconfig.cpuquota': limit('cpu'),
  'hostconfig.cpushares': limit('cpu'),
  'hostconfig.cpusetcpus': limit('cpu'),
  'hostconfig.pidslimit': limit('pids'),
  'hostconfig.blkioweight': limit('ioWeight'),
  'hostconfig.restartpolicy': module => `is not needed: modules.${module}.restart sets the policy`,
  'hostconfig.logconfig': () => 'is not needed: the log of a module is limited to four files of 1 MB',
  'hostconfig.devices': (module, value) =>
    `${shown(value)} is left out, because it must be a list: set modules.${module}.devices`,
};

const folder: Advice = (module, value) =>
  `${shown(value)} is not converted: the program must use folders of this machine; with modules.${module}.sandbox it may write only to the folder in HOME`;

/** Remarks about Docker options that are lists or objects. Each item of such an option gets a remark. */
const ITEM_ADVICE: Readonly<Record<string, Advice>> = {
  volumes: folder,
  'hostconfig.binds': folder,
  'hostconfig.mounts': folder,
  'hostconfig.tmpfs': folder,
  'hostconfig.portbindings': (_, value) =>
    `${shown(value)} is not converted: the program itself must listen on the port of this machine`,
};

/** Values of an option that mean "unlimited" in Docker. */
const UNLIMITED = [-1, '-1'];

/** Adds a remark for each option that was not converted. */
export function remarkUnsupported(
  options: Options,
  converted: ReadonlySet<string>,
  { module, remark }: OptionContext,
): void {
  for (const [name, { path, value }] of options) {
    if (converted.has(name) || isEmpty(value) || UNLIMITED.some(one => one === value)) continue;
    const each = Object.hasOwn(ITEM_ADVICE, name) ? ITEM_ADVICE[name] : undefined;
    const advice = Object.hasOwn(ADVICE, name) ? ADVICE[name] : undefined;
    if (each !== undefined && typeof value === 'object' && value !== null) {
      const list = Array.isArray(value);
      for (const [key, one] of Object.entries(value))
        remark(list ? `${path}[${key}]` : `${path}.${key}`, each(module, one));
    } else remark(path, advice?.(module, value) ?? `is a Docker option without an equivalent in Skerry`);
  }
}
