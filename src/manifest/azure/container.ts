import { MIN_MODULE_MEMORY } from '../../core/manifest-limits.ts';
import { isJsonObject, type JsonObject } from '../json/json-object.ts';
import { isNothing } from './document.ts';
import { listedEnvironmentOf } from './environment.ts';
import type { WrittenModule } from './modules.ts';
import { shown, type Tell } from './remark.ts';
import { tellRest } from './unsupported-options.ts';

/** What of Docker's options a module's entry can say. */
export type Container = Pick<
  WrittenModule,
  'stopSignal' | 'stopGraceSeconds' | 'tty' | 'limits' | 'devices' | 'env'
>;

/** Whose options they are. */
export type Place = { readonly module: string; readonly path: string; readonly tell: Tell };

/** One option: its path, and what it says. Docker reads their names in any case. */
export type Option = { readonly path: string; readonly value: unknown };

/** Docker's options by their names in small letters; those of a machine begin with `hostconfig.`. */
export type Options = ReadonlyMap<string, Option>;

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGKILL'] as const;

const DEVICE = /^\/dev\/(?!.*\.\.)[A-Za-z0-9._/-]+$/;

/** Docker's parts of a processor, and its period in microseconds if none is said. */
const NANO = 1e9;
const PERIOD = 100_000;

const UNITS = [
  ['G', 2 ** 30],
  ['M', 2 ** 20],
  ['K', 2 ** 10],
] as const;

/** Carries over what can be, and tells what cannot. */
export function containerOf(written: JsonObject, place: Place): Container {
  const { tell } = place;
  const options = optionsOf(written, place.path);
  const carried = new Set<string>();
  /** What an option says, if it is there and `read` can make something of it. */
  const take = <T>(name: string, read: (value: unknown, path: string) => T | undefined): T | undefined => {
    const option = options.get(name);
    if (option === undefined || isNothing(option.value)) return undefined;
    const value = read(option.value, option.path);
    if (value !== undefined) carried.add(name);
    return value;
  };
  const period = Number(options.get('hostconfig.cpuperiod')?.value) || PERIOD;
  const cpu =
    take('hostconfig.nanocpus', value => processors(Number(value) / NANO)) ??
    take('hostconfig.cpuquota', value => processors(Number(value) / period));
  if (carried.has('hostconfig.cpuquota')) carried.add('hostconfig.cpuperiod');
  const limits = {
    memory: take('hostconfig.memory', memoryOf),
    cpu,
    pids: take('hostconfig.pidslimit', value => whole(value, 1, 4_194_304)),
  };
  const devices = take('hostconfig.devices', (value, path) => devicesOf(value, path, place));
  const container: Container = {
    stopSignal: take('stopsignal', value => SIGNALS.find(signal => signal === value)),
    stopGraceSeconds: take('stoptimeout', value => whole(value, 0, 3600)),
    tty: take('tty', value => (value === true ? true : undefined)),
    limits: Object.values(limits).some(limit => limit !== undefined) ? limits : undefined,
    devices: devices?.length === 0 ? undefined : devices && Array.from(new Set(devices)),
    env: take('env', (value, path) => listedEnvironmentOf(value, path, tell)),
  };
  tellRest(options, carried, place);
  return withoutNothing(container);
}

function optionsOf(written: JsonObject, path: string): Options {
  const options = new Map<string, Option>();
  for (const [key, value] of Object.entries(written)) {
    const name = key.toLowerCase();
    if (name !== 'hostconfig' || !isJsonObject(value)) options.set(name, { path: `${path}.${key}`, value });
    else
      for (const [inner, option] of Object.entries(value))
        options.set(`hostconfig.${inner.toLowerCase()}`, { path: `${path}.${key}.${inner}`, value: option });
  }
  return options;
}

function withoutNothing({ limits, ...rest }: Container): Container {
  const said = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  if (limits === undefined) return said;
  return {
    ...said,
    limits: Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined)),
  };
}

function processors(count: number): number | undefined {
  const rounded = Math.round(count * 1000) / 1000;
  return rounded >= 0.01 && rounded <= 1024 ? rounded : undefined;
}

function whole(value: unknown, least: number, most: number): number | undefined {
  const fits = typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
  return fits ? value : undefined;
}

/** A size as people write it. */
export function memoryOf(value: unknown): string | number | undefined {
  const bytes = whole(value, MIN_MODULE_MEMORY, Number.MAX_SAFE_INTEGER);
  if (bytes === undefined) return undefined;
  const [letter, unit] = UNITS.find(([, size]) => bytes % size === 0) ?? ['', 1];
  return letter === '' ? bytes : `${bytes / unit}${letter}`;
}

/** Nodes of this machine that have the same path in the container. */
function devicesOf(value: unknown, path: string, { module, tell }: Place): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const devices: string[] = [];
  for (const [index, entry] of value.entries()) {
    const node: unknown = isJsonObject(entry) ? entry['PathOnHost'] : undefined;
    const seen: unknown = isJsonObject(entry) ? entry['PathInContainer'] : undefined;
    if (typeof node !== 'string' || !DEVICE.test(node)) {
      tell(
        `${path}[${index}]`,
        `is left out, for it names no device under /dev: say it in modules.${module}.devices`,
      );
      continue;
    }
    devices.push(node);
    if (seen !== node && !isNothing(seen))
      tell(
        `${path}[${index}]`,
        `the program must open ${shown(node)}, and not ${shown(seen)}: a device keeps its path`,
      );
  }
  return devices;
}
