import { isJsonObject, type JsonObject } from '../json/json-object.ts';
import { MIN_MODULE_MEMORY_BYTES } from '../limits.ts';
import { isEmpty } from './document.ts';
import { listedEnvironmentOf } from './environment.ts';
import type { WrittenModule } from './modules.ts';
import { type AddRemark, shown } from './remark.ts';
import { remarkUnsupported } from './unsupported-options.ts';

/** Fields of a module entry that Docker options map to. */
export type Container = Pick<
  WrittenModule,
  'stopSignal' | 'stopGraceSeconds' | 'tty' | 'limits' | 'devices' | 'env'
>;

/** Module and path of the options, for remarks. */
export type OptionContext = { readonly module: string; readonly path: string; readonly remark: AddRemark };

/** Docker option with its path. Names are case-insensitive. */
export type Option = { readonly path: string; readonly value: unknown };

/** Docker options by lower-case name; those of the host begin with `hostconfig.`. */
export type Options = ReadonlyMap<string, Option>;

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGKILL'] as const;

const DEVICE = /^\/dev\/(?!.*\.\.)[A-Za-z0-9._/-]+$/;

/** Docker's CPU unit, and its default CPU period in microseconds. */
const NANO = 1e9;
const PERIOD = 100_000;

const UNITS = [
  ['G', 2 ** 30],
  ['M', 2 ** 20],
  ['K', 2 ** 10],
] as const;

/** Converts Docker options to fields of a module and adds a remark for each one that has no equivalent. */
export function containerOf(written: JsonObject, place: OptionContext): Container {
  const { remark } = place;
  const options = optionsOf(written, place.path);
  const converted = new Set<string>();
  /** Reads an option and marks it as converted if `read` returns a value. */
  const take = <T>(name: string, read: (value: unknown, path: string) => T | undefined): T | undefined => {
    const option = options.get(name);
    if (option === undefined || isEmpty(option.value)) return undefined;
    const value = read(option.value, option.path);
    if (value !== undefined) converted.add(name);
    return value;
  };
  const period = Number(options.get('hostconfig.cpuperiod')?.value) || PERIOD;
  const cpu =
    take('hostconfig.nanocpus', value => processors(Number(value) / NANO)) ??
    take('hostconfig.cpuquota', value => processors(Number(value) / period));
  if (converted.has('hostconfig.cpuquota')) converted.add('hostconfig.cpuperiod');
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
    env: take('env', (value, path) => listedEnvironmentOf(value, path, remark)),
  };
  remarkUnsupported(options, converted, place);
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

/** Formats a size such as `"512M"`. */
export function memoryOf(value: unknown): string | number | undefined {
  const bytes = whole(value, MIN_MODULE_MEMORY_BYTES, Number.MAX_SAFE_INTEGER);
  if (bytes === undefined) return undefined;
  const [letter, unit] = UNITS.find(([, size]) => bytes % size === 0) ?? ['', 1];
  return letter === '' ? bytes : `${bytes / unit}${letter}`;
}

/** Device nodes of this machine that have the same path in the container. */
function devicesOf(value: unknown, path: string, { module, remark }: OptionContext): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const devices: string[] = [];
  for (const [index, entry] of value.entries()) {
    const node: unknown = isJsonObject(entry) ? entry['PathOnHost'] : undefined;
    const seen: unknown = isJsonObject(entry) ? entry['PathInContainer'] : undefined;
    if (typeof node !== 'string' || !DEVICE.test(node)) {
      remark(
        `${path}[${index}]`,
        `is left out, because it names no device under /dev: set it in modules.${module}.devices`,
      );
      continue;
    }
    devices.push(node);
    if (seen !== node && !isEmpty(seen))
      remark(
        `${path}[${index}]`,
        `the program must open ${shown(node)}, and not ${shown(seen)}: a device keeps its path`,
      );
  }
  return devices;
}
