import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';
import { Failure, reasonOf } from '../../../core/errors.ts';
import { unwritableFolder } from '../../../core/files/folder-lock.ts';
import { openDeviceKey } from '../../../crypto/key-files/device-key.ts';
import { trustKey } from '../../../crypto/key-files/trusted-keys.ts';
import { publicKeyLine } from '../../../crypto/key-text.ts';
import { storeDeviceName } from '../../../manifest/devices.ts';
import { argumentsOf } from '../../arguments.ts';
import { ask } from '../../control.ts';
import { dataFolder, SYSTEM_DATA_FOLDER } from '../../data-folder.ts';
import { asDataOwner } from '../../data-owner.ts';
import { PROVISION } from '../../reference/deployments.ts';
import { print, printError, systemPause, systemRandom } from '../../system.ts';
import { outcomeOf, throwIfFailed } from '../deployments/outcome.ts';
import { refuseUnacceptable } from './acceptance.ts';
import { erase, eraseMarked } from './erase.ts';
import { type Inputs, readInputs } from './inputs.ts';
import { type StatusLines, writeStatus, writeToFolder } from './status-file.ts';
import { countTry } from './tries.ts';

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
  const data = dataFolder(values.data);
  refuseUnreadable(folder);
  let lines: StatusLines = [];
  try {
    eraseMarked(folder);
    const inputs = readInputs(folder);
    if (inputs.files.length === 0) {
      print(`${folder} holds no keys, no name and no manifest.`);
      return 0;
    }
    lines = linesOf(inputs);
    await takeIn(folder, data, inputs, lines);
    // The result is written first, because after the erasure nothing would start this command again.
    writeStatus(folder, lines, 'done');
    erase(folder, inputs.files);
  } catch (thrown) {
    reportFailure(folder, lines, thrown);
    throw thrown;
  }
  for (const [label, text] of lines) print(`${label}: ${text}`);
  return 0;
}

/** Refuses a folder that cannot be read, before a status file would create it. */
function refuseUnreadable(folder: string): void {
  try {
    accessSync(folder, constants.R_OK | constants.X_OK);
  } catch (thrown) {
    throw new Failure('provision.input', `The folder ${folder} cannot be read: ${reasonOf(thrown)}.`);
  }
}

function linesOf({ keys, deviceName, manifest }: Inputs): StatusLines {
  return [
    ...(deviceName === undefined ? [] : [['device name', deviceName] as const]),
    ...keys.map(({ name }) => ['trusted key', name] as const),
    ...(manifest === undefined ? [] : [['manifest', manifest] as const]),
  ];
}

/** Stores keys and name before the manifest is applied, because they decide whether the hub accepts it. */
async function takeIn(folder: string, data: string, inputs: Inputs, lines: StatusLines): Promise<void> {
  writeStatus(folder, lines, 'in progress');
  await whenHubAnswers(data);
  await refuseUnacceptable(data, inputs);
  const { publicKey } = await asDataOwner(data, async () => {
    for (const key of inputs.keys) trustKey(data, key, systemRandom);
    if (inputs.deviceName !== undefined) storeDeviceName(data, inputs.deviceName);
    return openDeviceKey(data, systemRandom);
  });
  writeToFolder(folder, 'device.pub', publicKeyLine('x25519', { bytes: publicKey, comment: 'device' }));
  if (inputs.manifest !== undefined) await applyOnce(data, inputs.manifest);
}

/**
 * Applies the manifest and waits until it is healthy. If the hub already applies it, as after a restart of
 * the device, only waits.
 */
async function applyOnce(data: string, manifest: string): Promise<void> {
  const planned = await ask(data, 'apply preview', manifest);
  const { attempt, current } = await ask(data, 'deployment');
  if (attempt?.target.id !== planned.id) {
    if (planned.unchanged) return;
    await asDataOwner(data, () => countTry(data, planned.id, current?.id));
    await ask(data, 'apply', manifest);
  }
  throwIfFailed(await outcomeOf(data, planned, () => {}));
}

/** Waits for the answer of a hub that starts. Throws Failure `data.unwritable` or `hub.unreachable`. */
async function whenHubAnswers(data: string): Promise<void> {
  try {
    accessSync(data, constants.W_OK);
  } catch (thrown) {
    throw unwritableFolder(data, thrown);
  }
  const end = performance.now() + MAX_HUB_START_MS;
  for (let attempts = 0; ; attempts++) {
    try {
      await ask(data, 'deployment');
      return;
    } catch (thrown) {
      if (!(thrown instanceof Failure && thrown.code === 'hub.unreachable')) throw thrown;
      if (performance.now() > end)
        throw new Failure('hub.unreachable', `${thrown.message}${lastLogLines(data)}`);
    }
    if (attempts === 0) printError(`Waiting for the hub of ${data}.`);
    await systemPause(POLL_MS);
  }
}

/** Returns the last log lines of the service, for a person who cannot log in to the device. */
function lastLogLines(data: string): string {
  if (data !== SYSTEM_DATA_FOLDER) return '';
  const args = ['--unit=skerry', `--lines=${LOG_LINES}`, '--output=cat', '--no-pager', '--quiet'];
  const { stdout } = spawnSync('journalctl', args, { encoding: 'utf8', timeout: 10_000 });
  const text = (stdout ?? '').trim();
  return text === '' ? '' : ` The service logged:\n  ${text.replaceAll('\n', '\n  ')}`;
}

/**
 * Writes a failure to the status file. If this write fails, its error is only printed, because the caller
 * throws the original failure.
 */
function reportFailure(folder: string, lines: StatusLines, thrown: unknown): void {
  const code = thrown instanceof Failure ? thrown.code : undefined;
  const advice =
    code === 'provision.write'
      ? ''
      : '\nThe files stay in this folder. Correct the cause and start the device again.';
  try {
    writeStatus(
      folder,
      lines,
      `failed${code === undefined ? '' : ` (${code})`}: ${reasonOf(thrown)}${advice}`,
    );
  } catch (second) {
    printError(`skerry: ${reasonOf(second)}`);
  }
}
