import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Failure, reasonOf } from '../../../core/errors.ts';
import { devicePublicFile, openDeviceKey } from '../../../crypto/key-files/device-key.ts';
import { trustKey } from '../../../crypto/key-files/trusted-keys.ts';
import { storeDeviceName } from '../../../manifest/devices.ts';
import { argumentsOf } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder } from '../../data-folder.ts';
import { asDataOwner } from '../../data-owner.ts';
import { PROVISION } from '../../reference/deployments.ts';
import { print, printError, systemRandom } from '../../system.ts';
import { outcomeOf, throwIfFailed } from '../deployments/outcome.ts';
import { erase } from './erase.ts';
import { type Inputs, readInputs } from './inputs.ts';
import { type StatusLines, writeStatus, writeToFolder } from './status-file.ts';

/** Maximum milliseconds until the hub answers, which the service manager starts at the same time. */
const MAX_HUB_START_MS = 120_000;

/** Milliseconds between two requests to a hub that does not answer yet. */
const POLL_MS = 500;

/** Number of lines of the service's log that the status file shows if the hub does not answer. */
const LOG_LINES = 5;

/**
 * Takes in the trusted keys, the device name and the manifest that were prepared in a folder, and then erases
 * them there. After a failure all files stay, so that the next start of the device tries again.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = argumentsOf(PROVISION, args);
  const [name = ''] = positionals;
  const folder = resolve(name);
  let lines: StatusLines = [];
  try {
    const inputs = readInputs(folder);
    if (inputs.files.length === 0) {
      print(`${folder} holds no keys, no name and no manifest.`);
      return 0;
    }
    lines = linesOf(inputs);
    writeStatus(folder, lines, 'in progress');
    await takeIn(folder, dataFolder(values.data), inputs);
    erase(inputs.files);
  } catch (thrown) {
    reportFailure(folder, lines, thrown);
    throw thrown;
  }
  writeStatus(folder, lines, 'done');
  for (const [label, text] of lines) print(`${label}: ${text}`);
  return 0;
}

function linesOf({ keys, deviceName, manifest }: Inputs): StatusLines {
  return [
    ...(deviceName === undefined ? [] : [['device name', deviceName] as const]),
    ...keys.map(({ name }) => ['trusted key', name] as const),
    ...(manifest === undefined ? [] : [['manifest', manifest] as const]),
  ];
}

/** Stores keys and name before the manifest is applied, because they decide whether the hub accepts it. */
async function takeIn(folder: string, data: string, { keys, deviceName, manifest }: Inputs): Promise<void> {
  await whenHubAnswers(data);
  await asDataOwner(data, async () => {
    for (const key of keys) trustKey(data, key, systemRandom);
    if (deviceName !== undefined) storeDeviceName(data, deviceName);
    await openDeviceKey(data, systemRandom);
  });
  writeToFolder(folder, 'device.pub', readFileSync(devicePublicFile(data), 'utf8'));
  if (manifest === undefined) return;
  const accepted = await ask(data, 'apply', manifest);
  if (!accepted.unchanged) throwIfFailed(await outcomeOf(data, accepted, () => {}));
}

async function whenHubAnswers(data: string): Promise<void> {
  for (const end = performance.now() + MAX_HUB_START_MS; ; await pause(POLL_MS)) {
    try {
      await ask(data, 'deployment');
      return;
    } catch (thrown) {
      if (!(thrown instanceof Failure && thrown.code === 'hub.unreachable')) throw thrown;
      if (performance.now() > end) throw new Failure('hub.unreachable', `${thrown.message}${lastLogLines()}`);
    }
  }
}

/** Returns the last log lines of the service, for a person who cannot log in to the device. */
function lastLogLines(): string {
  const args = ['--unit=skerry', `--lines=${LOG_LINES}`, '--output=cat', '--no-pager', '--quiet'];
  const { stdout } = spawnSync('journalctl', args, { encoding: 'utf8', timeout: 10_000 });
  const text = (stdout ?? '').trim();
  return text === '' ? '' : ` The service logged:\n  ${text.replaceAll('\n', '\n  ')}`;
}

/** Writes a failure to the status file. A failure of this write is printed, because `thrown` is the cause. */
function reportFailure(folder: string, lines: StatusLines, thrown: unknown): void {
  const code = thrown instanceof Failure ? ` (${thrown.code})` : '';
  const advice = 'The files stay in this folder. Correct the cause and start the device again.';
  try {
    writeStatus(folder, lines, `failed${code}: ${reasonOf(thrown)}\n${advice}`);
  } catch (second) {
    printError(`skerry: ${reasonOf(second)}`);
  }
}
