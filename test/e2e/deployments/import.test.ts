import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HubStatus } from '../../../src/hub/status.ts';
import { folderWith, freePort, removeFolder, run, skerry, startHub, until } from '../../harness/binary.ts';

const deployments = resolve(import.meta.dirname, '../../manifest/azure');

type Written = { modules: Record<string, Record<string, unknown>>; [field: string]: unknown };

/** Imports a deployment into `manifest.json` of a new folder. Returns the folder and the printed remarks. */
function imported(deployment: string): { folder: string; remarks: string } {
  const folder = folderWith({});
  const out = join(folder, 'manifest.json');
  const { code, out: printed, err } = run(['import', join(deployments, deployment), '--out', out]);
  assert.equal([code, printed], [0, '']);
  return { folder, remarks: err };
}

/** Writes the programs of the modules, and completes the manifest with a listener and with `io`. */
async function complete(folder: string, scripts: Readonly<Record<string, string>>): Promise<void> {
  const file = join(folder, 'manifest.json');
  const manifest: Written = JSON.parse(readFileSync(file, 'utf8'));
  manifest['listeners'] = [{ mqtt: `127.0.0.1:${await freePort()}` }];
  mkdirSync(join(folder, 'modules'));
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(folder, 'modules', name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, 'modules', name), 0o755);
    if (!script.includes('SKERRY_TOKEN')) Object.assign(manifest.modules[name] ?? {}, { io: 'lines' });
  }
  writeFileSync(file, JSON.stringify(manifest));
}

function statusOf(data: readonly string[]): HubStatus {
  return JSON.parse(run(['ps', '--json', ...data]).out);
}

/** Bodies in a queue. Empty if the queue does not exist yet. */
function bodiesIn(queue: string, data: readonly string[]): string[] {
  const { code, out } = run(['queue', 'peek', queue, '--json', ...data]);
  if (code !== 0) return [];
  const entries: readonly { readonly message: { readonly body: string } }[] = JSON.parse(out);
  return entries.map(({ message }) => message.body);
}

/** Module that publishes three messages over MQTT, like a ported Azure module. */
const SENSOR = `
for n in 1 2 3; do
  until ${skerry} pub -p "\${SKERRY_MQTT_URL##*:}" -u "$SKERRY_MODULE" -P "$SKERRY_TOKEN" \\
    -t "modules/$SKERRY_MODULE/outputs/temperatureOutput" -q 1 -m "$n"
  do sleep 0.1; done
done
exec sleep 1000`;
/** Module that answers each line with the line, its threshold and its desired properties. */
const FILTER = `
while read -r line; do
  echo "{\\"output\\":\\"output1\\",\\"body\\":[$line,$THRESHOLD,$SKERRY_DESIRED]}"
done`;

const imports = suite('e2e: skerry import');

imports(
  'messages of a module in an imported deployment of schema 1.0 follow the imported routes',
  async () => {
    const { folder, remarks } = imported('schema-1.0.json');
    assert.is(
      remarks,
      readFileSync(join(deployments, 'schema-1.0.remarks.txt'), 'utf8').replaceAll('\n', '.\n'),
    );
    assert.is(statSync(join(folder, 'manifest.json')).mode & 0o777, 0o600);
    await complete(folder, { SimulatedTemperatureSensor: SENSOR, filtermodule: FILTER });
    const hub = await startHub(folder, 'manifest.json', 'data');
    const data = ['--data', join(folder, 'data')];
    try {
      await until('all three wait for the upstream', () => bodiesIn('$upstream', data).length === 3);
      const bodies = [1, 2, 3].map(n => `[${n},25,{"TemperatureThreshold":25}]`);
      assert.equal(bodiesIn('$upstream', data), bodies);
    } finally {
      assert.is(await hub.end('SIGTERM'), 0);
      removeFolder(folder);
    }
  },
);

imports(
  'an imported deployment of schema 1.1 keeps start order, restart policies and body conditions',
  async () => {
    const { folder, remarks } = imported('schema-1.1.json');
    assert.match(
      remarks,
      /^\$edgeHub\.routes\.broken: .* line 1, column 51: .* write as_number\(temperature\)\.$/m,
    );
    assert.match(remarks, /^\$edgeHub\.routes\.nowhere: .* it goes INTO an input of module "absent"/m);
    const reading = (celsius: number): string =>
      `echo '{"output":"temperatureOutput","body":{"machine":{"temperature":${celsius}}},"contentType":"application/json"}'`;
    await complete(folder, {
      // Lines that were written to a module are lost when it exits, so the sensor waits for the second start
      // of the alarm.
      alarm: `[ -e alarm-ran ] || { touch alarm-ran; exit 1; }\ntouch alarm-stays\nwhile read -r line; do echo "got $line" >&2; done`,
      tempSensor: `[ ! -e sensor-ran ] || exec sleep 1000\nwhile [ ! -e alarm-stays ]; do sleep 0.05; done\ntouch sensor-ran\n${reading(80)}\n${reading(20)}`,
      report: 'exit 3',
    });
    const hub = await startHub(folder, 'manifest.json', 'data');
    const data = ['--data', join(folder, 'data')];
    const alarm = (): string => run(['logs', 'alarm', ...data]).out;
    try {
      await until('the hot one is with the alarm, after its restart', () => alarm().includes('got '));
      await until('the sensor was started again', () => restartsOf('tempSensor', data) === 1);
      assert.match(alarm(), /got \{"machine":\{"temperature":80\}\}\n$/);
      assert.is(alarm().split('got ').length, 2);
      assert.is(bodiesIn('input/archive/all', data).length, 2, 'they wait for the module that is stopped');
      const started = Array.from(hub.log().matchAll(/"(\w+)" started, pid/g), ([, name]) => name);
      assert.equal(started.slice(0, 2), ['alarm', 'tempSensor']);
      assert.equal(started.slice(2, 4).sort(), ['archive', 'report'], 'those without a number start last');
      const states = statusOf(data).modules.map(({ name, state, restarts }) => [name, state, restarts]);
      assert.equal(Object.fromEntries(states.map(([name, ...rest]) => [name, rest])), {
        alarm: ['running', 1],
        tempSensor: ['running', 1],
        archive: ['ended', 0],
        report: ['failed', 0],
      });
    } finally {
      assert.is(await hub.end('SIGTERM'), 0);
      removeFolder(folder);
    }
  },
);

function restartsOf(module: string, data: readonly string[]): number | undefined {
  return statusOf(data).modules.find(({ name }) => name === module)?.restarts;
}

for (const deployment of ['schema-1.0', 'schema-1.1', 'schema-1.3', 'layered']) {
  imports(
    `the imported deployment ${deployment} runs, and a module without its program fails with the reason`,
    async () => {
      const { folder } = imported(`${deployment}.json`);
      await complete(folder, {});
      const file = join(folder, 'manifest.json');
      assert.match(run(['routes', 'check', file]).out, /^All 2 routes are good\.$/m);
      const hub = await startHub(folder, 'manifest.json', 'data');
      try {
        const { modules } = statusOf(['--data', join(folder, 'data')]);
        assert.ok(modules.length > 0);
        for (const { name, state, lastExit } of modules) {
          if (name === 'archive') continue;
          assert.is(state, 'failed');
          assert.match(
            lastExit ?? '',
            new RegExp(`No such file .*/modules/${name}\\. .* install the program`),
          );
        }
      } finally {
        assert.is(await hub.end('SIGTERM'), 0);
        removeFolder(folder);
      }
    },
  );
}

imports(
  '`skerry import` without --out prints the manifest to standard output and remarks to standard error',
  () => {
    const { code, out, err } = run(['import', join(deployments, 'layered.json')]);
    assert.is(code, 0);
    assert.equal(
      JSON.parse(out),
      JSON.parse(readFileSync(join(deployments, 'layered.manifest.json'), 'utf8')),
    );
    assert.is(err.split('\n').length, 6);
  },
);

imports('`skerry import` prints names without their control characters', () => {
  const modules = { '\u001b[31m\nm': {} };
  const folder = folderWith({ 'd.json': JSON.stringify({ $edgeAgent: { desired: { modules } } }) });
  const { err } = run(['import', join(folder, 'd.json')]);
  assert.match(err, /^\$edgeAgent\.modules\. \[31m m: is left out/m);
  removeFolder(folder);
});

imports('`skerry import` refuses a missing file and a file that is no deployment with exit code 2', () => {
  const folder = folderWith({ 'd.json': '{"name":"edge","modules":{}}', 'bad.json': '{"password":"x",}' });
  const out = join(folder, 'out.json');
  for (const [file, sentence] of [
    [
      'd.json',
      /not a deployment of Azure IoT Edge: it has no "modulesContent" with "\$edgeAgent" and "\$edgeHub"\.\n$/,
    ],
    ['bad.json', /not a deployment of Azure IoT Edge: it is not JSON: .*\.\n$/],
    ['absent.json', /cannot be read: the file does not exist\.\n$/],
  ] as const) {
    const { code, out: printed, err } = run(['import', join(folder, file), '--out', out]);
    assert.equal([code, printed, existsSync(out)], [2, '', false]);
    assert.match(err, sentence);
  }
  assert.is(run(['import']).code, 2);
  removeFolder(folder);
});

imports('`skerry import` ends with exit code 1 if the output file cannot be written', () => {
  const out = '/nonexistent/manifest.json';
  const { code, err } = run(['import', join(deployments, 'layered.json'), '--out', out]);
  assert.is(code, 1);
  assert.match(err, /^skerry: \/nonexistent\/manifest\.json cannot be written: /);
});

imports('`skerry import` replaces an existing file only with --force', () => {
  const folder = folderWith({ 'out.json': 'mine' });
  const out = join(folder, 'out.json');
  chmodSync(out, 0o644);
  const args = ['import', join(deployments, 'layered.json'), '--out', out];
  const refused = run(args);
  assert.is(refused.code, 2);
  assert.match(refused.err, /out\.json already exists: name another file, or replace it with --force\.\n$/);
  assert.is(readFileSync(out, 'utf8'), 'mine');
  assert.is(run([...args, '--force']).code, 0);
  assert.match(readFileSync(out, 'utf8'), /"modules"/);
  assert.is(statSync(out).mode & 0o777, 0o600);
  assert.match(run([...args.slice(0, 3), '/dev/null', '--force']).err, /is not a regular file: name another/);
  removeFolder(folder);
});

imports.run();
