import { spawn, spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ask } from '../../../src/cli/control.ts';
import { runningProcess } from '../../../src/core/proc.ts';
import type { HubStatus } from '../../../src/hub/status.ts';
import { skerry } from '../../harness/binary.ts';
import { createUpdateHarness } from '../../self-update/update-harness.ts';

/** Runs only in the virtual machine: without root, limits of version 2 need a delegated control group. */
const onTrial = suite('campaign: hub on trial in a service without root');

const NOBODY = 65534;
const GROUPS = '/sys/fs/cgroup';
const SERVICE = join(GROUPS, 'service');

/** Trial limits for a slow emulated processor. */
const LIMITS = { starts: 3, seconds: 3600, grace: 10 };
const PATIENCE = 120_000;

const MANIFEST = {
  name: 'guarded',
  listeners: [],
  deployment: { healthyFor: '1h', within: '2h' },
  modules: { m: { exec: ['sleep', '1000'], limits: { memory: '64M', pids: 20, cpu: 0.5 } } },
};

/** Delegates a control group like systemd with `Delegate=yes`. */
function delegate(): void {
  writeFileSync(join(GROUPS, 'cgroup.subtree_control'), '+memory +pids +cpu');
  mkdirSync(SERVICE);
  for (const name of ['', 'cgroup.procs', 'cgroup.threads', 'cgroup.subtree_control'])
    chownSync(join(SERVICE, name), NOBODY, NOBODY);
}

async function onceRunning(data: string): Promise<HubStatus> {
  for (const end = performance.now() + PATIENCE; ; ) {
    const status = await ask(data, 'status').catch(() => undefined);
    if (status?.modules.some(({ state }) => state === 'running')) return status;
    if (performance.now() > end)
      throw new Error(`Timed out waiting for a running module: ${JSON.stringify(status)}`);
    await new Promise(done => setTimeout(done, 500));
  }
}

onTrial('a hub on trial enforces the module limits from its first start', async () => {
  const harness = createUpdateHarness();
  await harness.onTrial(`exec '${skerry}' "$@"`, LIMITS);
  const manifest = join(harness.folder, 'manifest.json');
  writeFileSync(manifest, JSON.stringify(MANIFEST));
  spawnSync('chown', ['-R', `${NOBODY}:${NOBODY}`, harness.folder]);
  delegate();
  const child = spawn(
    'sh',
    [
      '-c',
      `echo $$ > ${SERVICE}/cgroup.procs && exec setpriv --reuid ${NOBODY} --regid ${NOBODY} --clear-groups "$@"`,
      'sh',
      ...[skerry, 'up', manifest, '--data', harness.data],
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const gone = new Promise(done => child.once('exit', done));
  try {
    const { pid, hub, modules } = await onceRunning(harness.data);
    assert.equal([hub.binary, hub.onTrial], ['a', true]);
    assert.is(runningProcess(pid)?.parent, child.pid, 'its parent is the watchdog');
    const [m] = modules;
    assert.equal(m?.notEnforced, []);
    assert.match(readFileSync(`/proc/${m?.pid}/cgroup`, 'utf8'), /^0::\/service\/skerry-\w+\/m-m$/m);
    assert.is(readFileSync(join(SERVICE, 'cgroup.procs'), 'utf8'), '');
  } finally {
    child.kill('SIGTERM');
    await gone;
    await harness.close();
  }
  for (const name of remainingGroups()) rmdirSync(join(SERVICE, name));
  rmdirSync(SERVICE);
});

/** Control groups that remain after the end of the hub. */
function remainingGroups(): string[] {
  return readdirSync(SERVICE, { withFileTypes: true }).flatMap(one => (one.isDirectory() ? [one.name] : []));
}

onTrial.run();
