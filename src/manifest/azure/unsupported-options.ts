import { isJsonObject } from '../json/json-object.ts';
import type { OptionContext, Options } from './container.ts';
import { isEmpty } from './document.ts';
import { shown } from './remark.ts';

/** Remark about an unsupported Docker option, from the module's name and the option's value. */
type Advice = (module: string, value: unknown) => string;

const exec: Advice = (module, value) =>
  `the container started ${shown(value)}: say the same of the program in modules.${module}.exec`;
const network: Advice = (_, value) =>
  `${shown(value)} is not needed: a module has the machine's own network, on which modules reach each other at 127.0.0.1 and not by their names`;
const limit =
  (field: string): Advice =>
  (module, value) =>
    `${shown(value)} is left out: say modules.${module}.limits.${field}`;
const rights: Advice = (module, value) =>
  `${shown(value)} is not converted: a module has the permissions of the hub's user unless modules.${module}.sandbox or user restricts them`;

/** Remarks by lower-case option name. */
const ADVICE: Readonly<Record<string, Advice>> = {
  cmd: exec,
  entrypoint: exec,
  workingdir: (module, value) =>
    `the container started in ${shown(value)}, a module starts in the manifest's folder, or with a bundle in that: say in modules.${module}.exec where its files are`,
  user: (module, value) =>
    `${shown(value)} is a user of the image: say one of this machine, or "dynamic", in modules.${module}.user`,
  healthcheck: (module, value) =>
    `${shown(isJsonObject(value) ? value['Test'] : value)} was the health check: configure it in modules.${module}.health`,
  stopsignal: (module, value) =>
    `${shown(value)} is left out: say a signal that there is in modules.${module}.stopSignal`,
  stoptimeout: (module, value) =>
    `${shown(value)} is left out: say 0 to 3600 in modules.${module}.stopGraceSeconds`,
  exposedports: () => 'is not needed: a port that a module opens is one of this machine',
  hostname: network,
  domainname: network,
  networkingconfig: network,
  'hostconfig.networkmode': network,
  'hostconfig.dns': network,
  'hostconfig.links': network,
  'hostconfig.extrahosts': (_, value) =>
    `${shown(value)} is not converted: put it into /etc/hosts of this machine`,
  'hostconfig.privileged': rights,
  'hostconfig.capadd': rights,
  'hostconfig.capdrop': rights,
  'hostconfig.securityopt': rights,
  'hostconfig.readonlyrootfs': rights,
  'hostconfig.groupadd': rights,
  'hostconfig.memory': limit('memory'),
  'hostconfig.memoryreservation': limit('memoryHigh'),
  'hostconfig.memoryswap': () => 'is not needed: a module with a limit of memory is given no swap',
  'hostconfig.nanocpus': limit('cpu'),
  'hostconfig.cpuquota': limit('cpu'),
  'hostconfig.cpushares': limit('cpu'),
  'hostconfig.cpusetcpus': limit('cpu'),
  'hostconfig.pidslimit': limit('pids'),
  'hostconfig.blkioweight': limit('ioWeight'),
  'hostconfig.restartpolicy': module => `is not needed: modules.${module}.restart says it`,
  'hostconfig.logconfig': () => "is not needed: of a module's log at most four files of 1 MB are kept",
  'hostconfig.devices': (module, value) =>
    `${shown(value)} is left out, because it must be a list: say modules.${module}.devices`,
};

const folder: Advice = (module, value) =>
  `${shown(value)} is not converted: the program must use folders of this machine, which with modules.${module}.sandbox it may not write to but for the one that HOME names`;

/** Options that are lists, with one remark for each item. */
const EACH: Readonly<Record<string, Advice>> = {
  volumes: folder,
  'hostconfig.binds': folder,
  'hostconfig.mounts': folder,
  'hostconfig.tmpfs': folder,
  'hostconfig.portbindings': (_, value) =>
    `${shown(value)} is not converted: the program itself must listen on that port of this machine`,
};

/** Values that Docker writes for unlimited. */
const UNLIMITED = [-1, '-1'];

/** Adds a remark for each option that was not converted. */
export function remarkUnsupported(
  options: Options,
  converted: ReadonlySet<string>,
  { module, remark }: OptionContext,
): void {
  for (const [name, { path, value }] of options) {
    if (converted.has(name) || isEmpty(value) || UNLIMITED.some(one => one === value)) continue;
    const each = Object.hasOwn(EACH, name) ? EACH[name] : undefined;
    const advice = Object.hasOwn(ADVICE, name) ? ADVICE[name] : undefined;
    if (each !== undefined && typeof value === 'object' && value !== null) {
      const list = Array.isArray(value);
      for (const [key, one] of Object.entries(value))
        remark(list ? `${path}[${key}]` : `${path}.${key}`, each(module, one));
    } else remark(path, advice?.(module, value) ?? `is a Docker option without an equivalent`);
  }
}
