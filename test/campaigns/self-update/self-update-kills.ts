import { join } from 'node:path';
import mqtt from 'mqtt';
import * as assert from 'uvu/assert';
import { reasonOf } from '../../../src/core/errors.ts';
import type { SpawnedHub } from '../../harness/binary.ts';
import { until } from '../../harness/binary.ts';
import { enter } from '../../harness/clients/listeners.ts';
import type { DeviceStatus, UpdatableDevice } from './self-update.ts';
import { createUpdatableDevice, hubsOn, hubWithVersion } from './self-update.ts';

/** Maximum milliseconds of a random kill: longer than it takes to stage, start and check a new hub. */
export const MAX_KILL_DELAY_MS = 5_000;

/**
 * A SIGKILL during an update: of the started process, which may be the watchdog, of the current hub, or of
 * all hubs.
 */
export type Kill = {
  /** Milliseconds after the start of the update. */
  readonly after: number;
  readonly target: 'started' | 'hub' | 'all';
  /** True if the new hub's module works. Otherwise the hub must roll back. */
  readonly works: boolean;
};

export const moduleStates = ({ modules }: DeviceStatus): string[] =>
  modules.map(({ name, state }) => `${name} ${state}`);

/** Stores five messages for an offline session, five for the parent, and one retained message. */
export async function queueMessages({ url }: UpdatableDevice): Promise<void> {
  const options = { clientId: 'away', clean: false };
  const away = await enter(url, options);
  await away.subscribeAsync('load/#', { qos: 1 });
  await away.endAsync();
  const sender = await enter(url, { clientId: 'sender' });
  for (const word of ['1', '2', '3', '4', '5']) await sender.publishAsync('load/x', word, { qos: 1 });
  await sender.publishAsync('kept', 'still', { qos: 1, retain: true });
  await sender.endAsync();
}

/** Asserts that all messages of `queueMessages` are still stored. */
export async function assertMessagesStored({ url, status }: UpdatableDevice): Promise<void> {
  const { queues } = await status();
  const depths = queues.filter(({ queue }) => queue === '$upstream').map(({ depth }) => depth);
  assert.equal(depths, [5], JSON.stringify(queues));
  const heard: string[] = [];
  const away = mqtt.connect(url, { clientId: 'away', clean: false });
  away.on('message', (topic, body) => heard.push(`${topic} ${body}`));
  await away.subscribeAsync('kept', { qos: 1 });
  const wanted = ['1', '2', '3', '4', '5'].map(word => `load/x ${word}`).concat('kept still');
  await until(`all has come, but: ${heard}`, () => wanted.every(one => heard.includes(one)));
  await away.endAsync();
}

async function killAfter(
  { data }: UpdatableDevice,
  started: SpawnedHub,
  { after, target }: Kill,
): Promise<void> {
  await new Promise(done => setTimeout(done, after));
  const pids = target === 'started' ? [] : hubsOn(data);
  if (target !== 'hub') process.kill(started.pid, 'SIGKILL');
  for (const pid of pids.filter(one => target === 'hub' || one !== started.pid)) process.kill(pid, 'SIGKILL');
  // The started process may be the hub or its watchdog.
  const left = new Promise(done => setTimeout(done, 200, undefined));
  await Promise.race([started.gone, left]);
}

/** Waits until the deployment has ended. Returns the status. */
export async function endOfDeployment({ status }: UpdatableDevice, seconds: number): Promise<DeviceStatus> {
  const end = performance.now() + seconds * 1000;
  let last = 'nothing';
  while (performance.now() < end) {
    try {
      const now = await status();
      if (now.deployment.attempt === undefined && now.deployment.outcome !== undefined) return now;
      last = JSON.stringify(now.deployment);
    } catch (thrown) {
      last = reasonOf(thrown);
    }
    await new Promise(done => setTimeout(done, 100));
  }
  throw new Error(`The deployment did not end: ${last}`);
}

/** Updates a hub with a kill, and asserts a sound end. Returns the slot of the hub that runs then. */
export async function updateWithKill(kill: Kill): Promise<string> {
  const device = await createUpdatableDevice();
  let log = '';
  try {
    const first = await device.start();
    await queueMessages(device);
    const hubs = { [process.arch]: device.hub('one', hubWithVersion(8)) };
    const crashing = { modules: { bad: { exec: [join(device.folder, 'crash.sh')], restart: 'never' } } };
    const file = device.manifest('new', { hub: hubs, ...(kill.works ? {} : crashing) });
    const { err } = await device.command('apply', file, '--no-wait');
    assert.is(err, '');
    await killAfter(device, first, kill);
    const ended = first.process.exitCode !== null || first.process.signalCode !== null;
    const last = ended ? await device.start() : first;
    log = `${first.log()}\n${ended ? last.log() : ''}`;
    const now = await endOfDeployment(device, 60);
    const { hub, deployment } = now;
    assert.equal(
      [hub.onTrial, deployment.outcome?.result, moduleStates(now)],
      [false, ...(hub.binary === 'base' ? ['returned', ['old running']] : ['healthy', ['new running']])],
    );
    assert.ok(kill.works || hub.binary === 'base');
    assert.is(hubsOn(device.data).length, 1);
    await assertMessagesStored(device);
    assert.is(await last.end(), 0);
    return hub.binary;
  } catch (thrown) {
    throw new Error(`${JSON.stringify(kill)}: ${reasonOf(thrown)}\n${log}`);
  } finally {
    await device.close();
  }
}
