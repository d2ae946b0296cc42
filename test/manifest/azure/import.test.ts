import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../../src/core/errors.ts';
import { type Imported, importDeployment } from '../../../src/manifest/azure/import.ts';
import { MAX_DEPLOYMENT_BYTES } from '../../../src/manifest/limits.ts';
import { parseManifest } from '../../../src/manifest/read.ts';

const DEPLOYMENTS = ['schema-1.0', 'schema-1.1', 'schema-1.3', 'layered'];

function read(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}

function imported(value: unknown): Imported {
  return importDeployment(JSON.stringify(value), 'd.json');
}

/** Imports a deployment with one module, `m`. */
function withModule(entry: unknown, rest: object = {}): Imported {
  return imported({
    modulesContent: { $edgeAgent: { 'properties.desired': { modules: { m: entry } } }, ...rest },
  });
}

function withOptions(options: object): Imported {
  return withModule({ settings: { createOptions: JSON.stringify(options) } });
}

function sentenceAt({ remarks }: Imported, path: string): string | undefined {
  return remarks.find(remark => remark.path === path)?.sentence;
}

const OPTIONS = '$edgeAgent.modules.m.settings.createOptions';

const azure = suite('manifest: import from Azure IoT Edge');

for (const name of DEPLOYMENTS) {
  azure(
    `the import converts the deployment ${name} to a valid manifest and reports the expected remarks`,
    () => {
      const { manifest, remarks } = importDeployment(read(`${name}.json`), 'd.json');
      assert.equal(manifest, JSON.parse(read(`${name}.manifest.json`)));
      const list = remarks.map(({ path, sentence }) => `${path}: ${sentence}\n`).join('');
      assert.fixture(list, read(`${name}.remarks.txt`));
      assert.is(parseManifest(JSON.stringify(manifest), 'm.json').dialect, 'azure');
    },
  );
}

azure('the import recognises an Azure deployment in older and wrapped formats', () => {
  const { modulesContent } = JSON.parse(read('schema-1.0.json'));
  const flat = Object.entries<Record<string, unknown>>(modulesContent).map(([name, entry]) => [
    name,
    { desired: entry['properties.desired'] },
  ]);
  const twins = flat.map(([name, entry]) => [name, { properties: entry }]);
  const expected = imported({ modulesContent });
  assert.ok(Object.keys(expected.manifest.modules ?? {}).length === 2);
  for (const shape of [
    { content: { modulesContent } },
    { moduleContent: modulesContent },
    { content: modulesContent },
    modulesContent,
    Object.fromEntries(flat),
    { modulesContent: Object.fromEntries(twins) },
  ]) {
    assert.equal(imported(shape), expected);
  }
});

azure('remarks of the import show no registry credentials and no settings of system modules', () => {
  for (const name of DEPLOYMENTS) {
    const { manifest, remarks } = importDeployment(read(`${name}.json`), 'd.json');
    assert.not.match(JSON.stringify([manifest, remarks]), /not-to-be-shown|contoso\.azurecr\.io"/);
  }
  const { remarks } = withModule({
    env: { 'A-B': { value: 'hidden' }, C: { value: ['hidden'] } },
    settings: { createOptions: '{"Env":["A-B=hidden","hidden"]}' },
  });
  assert.is(remarks.length, 5);
  assert.not.match(JSON.stringify(remarks), /hidden/);
});

azure('the import joins createOptions, createOptions01 and the further parts in numeric order', () => {
  const text = JSON.stringify({ HostConfig: { Memory: 1 << 20, PidsLimit: 7 } });
  const settings = {
    createOptions02: text.slice(20),
    createOptions01: text.slice(10, 20),
    createOptions: text.slice(0, 10),
  };
  assert.equal(withModule({ settings }).manifest.modules?.['m']?.limits, { memory: '1M', pids: 7 });
});

azure('the import converts all supported Docker options to manifest fields', () => {
  const { manifest, remarks } = withOptions({
    Tty: true,
    StopSignal: 'SIGINT',
    StopTimeout: 3,
    HostConfig: {
      Memory: 10_000_001,
      CpuPeriod: 50_000,
      CpuQuota: 25_000,
      Devices: [
        { PathOnHost: '/dev/i2c-1', PathInContainer: '/dev/i2c-1', CgroupPermissions: 'rwm' },
        { PathOnHost: '/dev/ttyUSB0', PathInContainer: '/dev/meter' },
        { PathOnHost: '/dev/../etc/shadow' },
      ],
    },
  });
  assert.equal(manifest.modules?.['m'], {
    exec: ['./modules/m'],
    restart: 'always',
    tty: true,
    stopSignal: 'SIGINT',
    stopGraceSeconds: 3,
    devices: ['/dev/i2c-1', '/dev/ttyUSB0'],
    limits: { memory: 10_000_001, cpu: 0.5 },
  });
  assert.equal(remarks.slice(1), [
    {
      path: `${OPTIONS}.HostConfig.Devices[1]`,
      sentence:
        'a device has the same path as on the host: the program must open "/dev/ttyUSB0" instead of "/dev/meter"',
    },
    {
      path: `${OPTIONS}.HostConfig.Devices[2]`,
      sentence: 'is left out, because its host path is not a device under /dev: set modules.m.devices',
    },
  ]);
});

/** Options without an equivalent, each with the path and the text of its remark. */
const UNSUPPORTED: readonly (readonly [options: object, path: string, sentence: RegExp])[] = [
  [{ Cmd: ['a', 'b'] }, 'Cmd', /ran \["a","b"\]: .* modules\.m\.exec /],
  [{ WorkingDir: '/app' }, 'WorkingDir', /started in "\/app"/],
  [{ HostConfig: { Binds: ['/a:/b'] } }, 'HostConfig.Binds[0]', /folders of this machine/],
  [{ HostConfig: { Mounts: [{ Type: 'bind' }] } }, 'HostConfig.Mounts[0]', /folders of this machine/],
  [{ HostConfig: { PortBindings: { '80/tcp': [{}] } } }, 'HostConfig.PortBindings.80/tcp', /must listen/],
  [{ HostConfig: { Privileged: true } }, 'HostConfig.Privileged', /modules\.m\.sandbox/],
  [{ HostConfig: { NetworkMode: 'host' } }, 'HostConfig.NetworkMode', /"host" is not needed/],
  [{ HostConfig: { CapAdd: ['NET_ADMIN'] } }, 'HostConfig.CapAdd', /modules\.m\.sandbox/],
  [{ HostConfig: { Memory: 'much' } }, 'HostConfig.Memory', /set modules\.m\.limits\.memory/],
  [{ HostConfig: { NanoCpus: 1 } }, 'HostConfig.NanoCpus', /set modules\.m\.limits\.cpu/],
  [{ HostConfig: { Devices: 'x' } }, 'HostConfig.Devices', /must be a list/],
  [{ StopSignal: 'SIGQUACK' }, 'StopSignal', /modules\.m\.stopSignal/],
  [{ Env: 'A=1' }, 'Env', /must be a list/],
  [{ Healthcheck: { Test: ['CMD', 'x'] } }, 'Healthcheck', /\["CMD","x"\] .* modules\.m\.health/],
  [{ hostconfig: { shmsize: 5 } }, 'hostconfig.shmsize', /without an equivalent/],
  [{ Surprise: 1 }, 'Surprise', /without an equivalent/],
];

for (const [options, path, sentence] of UNSUPPORTED) {
  azure(`the import of the Docker options ${JSON.stringify(options)} reports a remark`, () => {
    const result = withOptions(options);
    assert.equal(result.manifest.modules?.['m'], { exec: ['./modules/m'], restart: 'always' });
    assert.is(result.remarks.length, 2);
    assert.match(sentenceAt(result, `${OPTIONS}.${path}`) ?? 'nothing', sentence);
  });
}

azure('the import reports each invalid name that it omits', () => {
  const names = ['__proto__', 'constructor', 'prototype', 'a b', 'x'.repeat(65), 'line.control'];
  const modules = Object.fromEntries(names.map(name => [name, {}]));
  const routes = Object.fromEntries(names.map(name => [name, 'FROM /* INTO $upstream']));
  const { manifest, remarks } = imported({
    $edgeAgent: { desired: { modules } },
    $edgeHub: { desired: { routes } },
  });
  assert.equal(manifest.modules, {});
  assert.equal(Object.keys(manifest.routes ?? {}), ['a b', 'x'.repeat(65), 'line.control']);
  assert.is(remarks.filter(({ path }) => path.startsWith('$edgeAgent.modules.')).length, names.length);
  assert.is(remarks.filter(({ path }) => path.startsWith('$edgeHub.routes.')).length, 3);
});

azure(
  'the import omits desired properties that are too large or too deeply nested, and adds a remark',
  () => {
    let deep: object = {};
    for (let depth = 0; depth < 16; depth++) deep = { deep };
    for (const [value, sentence] of [
      [{ text: 'x'.repeat(40_000) }, /32768 bytes/],
      [deep, /16 levels of nested objects and arrays/],
    ] as const) {
      const result = withModule({}, { m: { 'properties.desired': value } });
      assert.is(result.manifest.modules?.['m']?.desired, undefined);
      assert.match(sentenceAt(result, 'm.properties.desired') ?? 'nothing', sentence);
    }
  },
);

azure('modules that the import found without startupOrder start last, as in Azure IoT Edge', () => {
  const modules = { a: { startupOrder: 4 }, b: {}, c: { startupOrder: 0 }, d: { startupOrder: 'x' } };
  const { manifest } = imported({ $edgeAgent: { desired: { modules } } });
  const orders = Object.values(manifest.modules ?? {}).map(({ startupOrder }) => startupOrder);
  assert.equal(orders, [4, 5, 0, 5]);
});

/** Texts that are not deployments, with part of the expected sentence. */
const NOT_DEPLOYMENTS: readonly (readonly [text: string, sentence: RegExp])[] = [
  ['', /it is not JSON/],
  ['{"password":"secret" x}', /it is not JSON/],
  ['[]', /it is not an object/],
  ['{"name":"a","modules":{}}', /it has no "modulesContent"/],
  ['{"modulesContent":[]}', /it has no "modulesContent"/],
  ['{"modulesContent":{"$edgeAgent":1}}', /\$edgeAgent must be an object/],
  ['{"modulesContent":{"m":{"properties.desired":[]}}}', /m\.properties\.desired must be an object/],
  [
    `{"modulesContent":{"m":${'['.repeat(70)}${']'.repeat(70)}}}`,
    /more than 64 levels of nested objects and arrays/,
  ],
  [
    `{"modulesContent":{"m":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`,
    /more than 64 levels of nested objects and arrays/,
  ],
  [`{"modulesContent":"${'x'.repeat(MAX_DEPLOYMENT_BYTES)}"}`, /larger than 4 MB/],
];

for (const [text, sentence] of NOT_DEPLOYMENTS) {
  azure(`the import refuses the text '${text.slice(0, 60)}' as an Azure deployment`, () => {
    try {
      importDeployment(text, 'd.json');
      assert.unreachable();
    } catch (thrown) {
      assert.ok(thrown instanceof Failure && thrown.code === 'import.foreign', String(thrown));
      assert.match(thrown.message, /^The file d\.json is not a deployment of Azure IoT Edge: /);
      assert.match(thrown.message, sentence);
      assert.not.match(thrown.message, /secret/);
    }
  });
}

azure('the import converts a deployment with random values to a valid manifest or refuses it', () => {
  const documents = DEPLOYMENTS.map(name => JSON.parse(read(`${name}.json`)));
  let accepted = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...documents),
      fc.array(fc.nat(), { minLength: 2, maxLength: 9 }),
      fc.oneof(fc.jsonValue(), fc.constantFrom('', 'x', -1, 0, 1.5, 1e300, '\0', null, [], {}, ['a'])),
      (document, path, value) => {
        try {
          const { manifest } = imported(replaced(document, path, value));
          parseManifest(JSON.stringify(manifest), 'm.json');
          accepted++;
        } catch (thrown) {
          assert.ok(thrown instanceof Failure && thrown.code === 'import.foreign', String(thrown));
        }
      },
    ),
    { numRuns: 2000 },
  );
  assert.ok(accepted > 1000, `${accepted} taken`);
});

/** Replaces the value at a path of field indexes, which ends at a value without fields. */
function replaced(document: unknown, [place = 0, ...rest]: readonly number[], value: unknown): unknown {
  const inner = inside(document);
  if (typeof inner !== 'object' || inner === null) return value;
  const entries = Object.entries<unknown>({ ...inner });
  const index = place % Math.max(1, entries.length);
  const changed = entries.map(([key, old], at): [string, unknown] => {
    if (at !== index) return [key, old];
    return [key, rest.length === 0 ? value : replaced(old, rest, value)];
  });
  const result: object = Array.isArray(inner) ? changed.map(([, one]) => one) : Object.fromEntries(changed);
  return typeof document === 'string' ? JSON.stringify(result) : result;
}

/** Parses a string with JSON, such as Docker options, and returns other values unchanged. */
function inside(value: unknown): unknown {
  if (typeof value !== 'string' || !value.startsWith('{')) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

azure.run();
