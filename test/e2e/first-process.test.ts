import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SpawnedHub } from '../harness/binary.ts';
import { folderWith, follow, removeFolder, run, skerry, until } from '../harness/binary.ts';
import { skip } from '../harness/skip.ts';

const first = suite('e2e: hub as the first process of a container');

const CONTAINER = ['--pid', '--fork', '--kill-child', '--mount-proc'];
const HAS_NAMESPACES = spawnSync('unshare', [...CONTAINER, 'true']).status === 0;

/** States of the child processes of a process by pid. */
function childrenOf(parent: number): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const pid of readdirSync('/proc').map(Number).filter(Boolean)) {
    const file = `/proc/${pid}/stat`;
    if (!existsSync(file)) continue;
    try {
      const stat = readFileSync(file, 'latin1');
      const [state = '', ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (Number(ppid) === parent) found.set(pid, state);
    } catch {
      // The process has exited meanwhile.
    }
  }
  return found;
}

/** Runs a hub as the first process of a PID namespace. `init` is its pid outside of the namespace. */
async function inContainer(
  manifest: object,
  scenario: (folder: string, hub: SpawnedHub, init: number) => Promise<void>,
) {
  const folder = folderWith({ 'm.json': JSON.stringify({ name: 'first', listeners: [], ...manifest }) });
  const args = [...CONTAINER, skerry, 'up', join(folder, 'm.json'), '--data', join(folder, 'data')];
  const hub = follow(spawn('unshare', args, { stdio: ['ignore', 'ignore', 'pipe'] }));
  try {
    await until('there is a first process', () => childrenOf(hub.pid).size === 1);
    const [init = 0] = childrenOf(hub.pid).keys();
    await scenario(folder, hub, init);
  } finally {
    hub.process.kill('SIGKILL');
    await hub.gone;
    removeFolder(folder);
  }
}

first('a hub with pid 1 reaps orphans and still receives the exit codes of its modules', async () => {
  if (!HAS_NAMESPACES) return skip('PID namespaces are not available here');
  const daemon = "(setsid sh -c 'sleep 0.1; echo x >ended' &); exec sleep 1000";
  const modules = {
    daemon: { exec: ['sh', '-c', daemon] },
    ending: { exec: ['sh', '-c', 'exit 3'], restart: 'never' },
  };
  await inContainer({ modules }, async (folder, hub, init) => {
    await hub.listens();
    await until('the daemon has ended', () => existsSync(join(folder, 'ended')));
    await until('no zombie is left', () => ![...childrenOf(init).values()].includes('Z'));
    assert.is(childrenOf(init).size, 1, 'the hub');
    assert.match(run(['ps', '--data', join(folder, 'data')]).out, /ending +failed.* exit 3/);
    process.kill(init, 'SIGTERM');
    assert.is(await hub.gone, 0);
    assert.match(hub.log(), /Stopping because SIGTERM was received/);
  });
});

first('the exit code of a container equals the exit code of its hub', async () => {
  if (!HAS_NAMESPACES) return skip('PID namespaces are not available here');
  const { status, stderr } = spawnSync('unshare', [...CONTAINER, skerry, 'up', '/no/such/manifest.json']);
  assert.is(status, 2, stderr.toString());
});

first.run();
