import { isJsonObject, type JsonObject } from '../json/json-object.ts';
import { MIN_MODULE_MEMORY_BYTES } from '../limits.ts';
import type { Option, OptionContext, Options } from './docker-options.ts';
import { isEmpty } from './document.ts';
import { listedEnvironmentOf } from './environment.ts';
import { shown } from './remark.ts';
import { remarkUnsupported } from './unsupported-options.ts';
import type { WrittenModule } from './written-module.ts';

/** Fields of a module that the import sets from Docker options. */
export type Container = Pick<
  WrittenModule,
  'stopSignal' | 'stopGraceSeconds' | 'tty' | 'limits' | 'devices' | 'env'
>;

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGKILL'] as const;

const DEVICE = /^\/dev\/(?!.*\.\.)[A-Za-z0-9._/-]+$/;

/** Value of Docker's option `NanoCpus` for one processor. */
const NANO_CPUS = 1e9;

/** Default CPU period of Docker in microseconds. */
const DEFAULT_PERIOD = 100_000;

const UNITS = [
  ['G', 2 ** 30],
  ['M', 2 ** 20],
  ['K', 2 ** 10],
] as const;

/** Converts Docker options to fields of a module. Adds a remark for each option without an equivalent. */
export function containerOf(written: JsonObject, context: OptionContext): Container {
  const { remark } = context;
  const options = optionsOf(written, context.path);
  const converted = new Set<string>();
  /** Converts one option by calling `read`. Marks the option as converted if `read` returns a value. */
  const convert = <T>(name: string, read: (value: unknown, path: string) => T | undefined): T | undefined => {
    const option = options.get(name);
    if (option === undefined || isEmpty(option.value)) return undefined;
    const value = read(option.value, option.path);
    if (value !== undefined) converted.add(name);
    return value;
  };
  const period = Number(options.get('hostconfig.cpuperiod')?.value) || DEFAULT_PERIOD;
  const cpu =
    convert('hostconfig.nanocpus', value => processors(Number(value) / NANO_CPUS)) ??
    convert('hostconfig.cpuquota', value => processors(Number(value) / period));
  if (converted.has('hostconfig.cpuquota')) converted.add('hostconfig.cpuperiod');
  const limits = {
    memory: convert('hostconfig.memory', memoryOf),
    cpu,
    pids: convert('hostconfig.pidslimit', value => whole(value, 1, 4_194_304)),
  };
  const devices = convert('hostconfig.devices', (value, path) => devicesOf(value, path, context));
  const container: Container = {
    stopSignal: convert('stopsignal', value => SIGNALS.find(signal => signal === value)),
    stopGraceSeconds: convert('stoptimeout', value => whole(value, 0, 3600)),
    tty: convert('tty', value => (value === true ? true : undefined)),
    limits: Object.values(limits).some(limit => limit !== undefined) ? limits : undefined,
    devices: devices?.length === 0 ? undefined : devices && Array.from(new Set(devices)),
    env: convert('env', (value, path) => listedEnvironmentOf(value, path, remark)),
  };
  remarkUnsupported(options, converted, context);
  return withoutUndefined(container);
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

function withoutUndefined({ limits, ...rest }: Container): Container {
  const defined = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  if (limits === undefined) return defined;
  return {
    ...defined,
    limits: Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined)),
  };
}

function processors(count: number): number | undefined {
  const rounded = Math.round(count * 1000) / 1000;
  return rounded >= 0.01 && rounded <= 1024 ? rounded : undefined;
}

function whole(value: unknown, min: number, max: number): number | undefined {
  const fits = typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
  return fits ? value : undefined;
}

/** Converts bytes to a size such as `"512M"`. Returns undefined if the value is not a valid memory limit. */
export function memoryOf(value: unknown): string | number | undefined {
  const bytes = whole(value, MIN_MODULE_MEMORY_BYTES, Number.MAX_SAFE_INTEGER);
  if (bytes === undefined) return undefined;
  const [letter, unit] = UNITS.find(([, size]) => bytes % size === 0) ?? ['', 1];
  return letter === '' ? bytes : `${bytes / unit}${letter}`;
}

/**
 * Returns the device nodes of a list of Docker devices. Adds a remark for a device whose path in the
 * container differs from the path on the host.
 */
function devicesOf(value: unknown, path: string, { module, remark }: OptionContext): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const devices: string[] = [];
  for (const [index, entry] of value.entries()) {
    const hostPath: unknown = isJsonObject(entry) ? entry['PathOnHost'] : undefined;
    const containerPath: unknown = isJsonObject(entry) ? entry['PathInContainer'] : undefined;
    if (typeof hostPath !== 'string' || !DEVICE.test(hostPath)) {
      remark(
        `${path}[${index}]`,
        `is left out, because its host path is not a device under /dev: set modules.${module}.devices`,
      );
      continue;
    }
    devices.push(hostPath);
    if (containerPath !== hostPath && !isEmpty(containerPath))
      remark(
        `${path}[${index}]`,
        `a device has the same path as on the host: the program must open ${shown(hostPath)} instead of ${shown(containerPath)}`,
      );
  }
  return devices;
}
