import { join } from 'node:path';
import mqtt from 'mqtt';
import * as assert from 'uvu/assert';
import { reasonOf } from '../../../src/core/errors.ts';
import type { Started } from '../../harness/binary.ts';
import { until } from '../../harness/binary.ts';
import { enter } from '../../harness/clients/listeners.ts';
import type { Seen, Site } from './self-update.ts';
import { createSite, hubsOn, nextHub } from './self-update.ts';

/** Milliseconds in which a hub is staged, started and found healthy, and something more. */
export const WHOLE = 5_000;

/**
 * Whom SIGKILL takes: the process that was started, which may be a guard; the hub that runs now; all of them.
 */
export type Kill = {
  readonly after: number;
  readonly whom: 'started' | 'hub' | 'all';
  /** True if the new hub's module works. Otherwise the hub must roll back. */
  readonly works: boolean;
};

export const namesOf = ({ modules }: Seen): string[] => modules.map(({ name, state }) => `${name} ${state}`);

/** Five messages wait for a session that is away and five for the parent, and one is retained. */
export async function queueUp({ url }: Site): Promise<void> {
  const options = { clientId: 'away', clean: false };
  const away = await enter(url, options);
  await away.subscribeAsync('load/#', { qos: 1 });
  await away.endAsync();
  const sender = await enter(url, { clientId: 'sender' });
  for (const word of ['1', '2', '3', '4', '5']) await sender.publishAsync('load/x', word, { qos: 1 });
  await sender.publishAsync('kept', 'still', { qos: 1, retain: true });
  await sender.endAsync();
}

/** All of that is there. */
export async function isAllThere({ url, seen }: Site): Promise<void> {
  const { queues } = await seen();
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

async function strike({ data }: Site, started: Started, { after, whom }: Kill): Promise<void> {
  await new Promise(done => setTimeout(done, after));
  const pids = whom === 'started' ? [] : hubsOn(data);
  if (whom !== 'hub') process.kill(started.pid, 'SIGKILL');
  for (const pid of pids.filter(one => whom === 'hub' || one !== started.pid)) process.kill(pid, 'SIGKILL');
  // What it was may be the hub or its guard.
  const left = new Promise(done => setTimeout(done, 200, undefined));
  await Promise.race([started.gone, left]);
}

/** Status of `ps` after the deployment has ended. */
export async function settled({ seen }: Site, seconds: number): Promise<Seen> {
  const end = performance.now() + seconds * 1000;
  let last = 'nothing';
  while (performance.now() < end) {
    try {
      const now = await seen();
      if (now.deployment.attempt === undefined && now.deployment.outcome !== undefined) return now;
      last = JSON.stringify(now.deployment);
    } catch (thrown) {
      last = reasonOf(thrown);
    }
    await new Promise(done => setTimeout(done, 100));
  }
  throw new Error(`It came to no end: ${last}`);
}

/** Kills hubs at a moment of an update, and sees what becomes of that. Returns which hub it ended with. */
export async function killIn(kill: Kill): Promise<string> {
  const site = await createSite();
  let log = '';
  try {
    const first = await site.start();
    await queueUp(site);
    const hubs = { [process.arch]: site.hub('one', nextHub(8)) };
    const crashing = { modules: { bad: { exec: [join(site.folder, 'crash.sh')], restart: 'never' } } };
    const file = site.manifest('new', { hub: hubs, ...(kill.works ? {} : crashing) });
    const { err } = await site.command('apply', file, '--no-wait');
    assert.is(err, '');
    await strike(site, first, kill);
    const ended = first.process.exitCode !== null || first.process.signalCode !== null;
    const last = ended ? await site.start() : first;
    log = `${first.log()}\n${ended ? last.log() : ''}`;
    const now = await settled(site, 60);
    const { hub, deployment } = now;
    assert.equal(
      [hub.onTrial, deployment.outcome?.result, namesOf(now)],
      [false, ...(hub.binary === 'base' ? ['returned', ['old running']] : ['healthy', ['new running']])],
    );
    assert.ok(kill.works || hub.binary === 'base');
    assert.is(hubsOn(site.data).length, 1);
    await isAllThere(site);
    assert.is(await last.end(), 0);
    return hub.binary;
  } catch (thrown) {
    throw new Error(`${JSON.stringify(kill)}: ${reasonOf(thrown)}\n${log}`);
  } finally {
    await site.close();
  }
}
