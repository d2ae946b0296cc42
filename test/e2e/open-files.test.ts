import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, follow, removeFolder, run, skerry, until } from '../harness/binary.ts';

const few = suite('e2e: low limit of open files');

const MANIFEST = {
  name: 'few',
  listeners: [{ mqtt: '127.0.0.1:0' }],
  modules: {
    a: { exec: ['sleep', '1000'] },
    b: { exec: ['sh', '-c', 'read line'], io: 'lines', restart: 'never' },
    c: { exec: ['sleep', '1000'], tty: true },
  },
};

/**
 * Limits of open files, and the number of a descriptor that the parent process left open. 251 is the highest
 * number that a limit of 252 allows.
 */
for (const [limit, left] of [
  [252, 251],
  [252, 200],
  [100, 99],
] as const) {
  few(
    `modules start although the hub has a limit of ${limit} open files and inherits descriptor ${left}`,
    async () => {
      const folder = folderWith({ 'm.json': JSON.stringify(MANIFEST) });
      const data = join(folder, 'data');
      const command = `ulimit -n ${limit}; exec "$@" 3<&- ${left}<"${join(folder, 'm.json')}"`;
      const args = ['-c', command, 'sh', skerry, 'up', join(folder, 'm.json'), '--data', data];
      const hub = follow(spawn('bash', args, { stdio: ['ignore', 'ignore', 'pipe'] }));
      try {
        await hub.listens();
        const states = (): string[] => {
          const { out } = run(['ps', '--json', '--data', data]);
          const { modules }: { readonly modules: readonly { readonly state: string }[] } = JSON.parse(out);
          return modules.map(({ state }) => state);
        };
        await until('all run', () => states().every(state => state === 'running'));
        assert.not.match(hub.log(), /failed to start/);
      } finally {
        await hub.end();
        removeFolder(folder);
      }
    },
  );
}

few('`skerry logs` reports that a module has logged nothing yet', async () => {
  const folder = folderWith({ 'm.json': JSON.stringify(MANIFEST) });
  const data = join(folder, 'data');
  const hub = follow(
    spawn(skerry, ['up', join(folder, 'm.json'), '--data', data], { stdio: ['ignore', 'ignore', 'pipe'] }),
  );
  try {
    await hub.listens();
    await until('it runs', () => run(['ps', '--data', data]).out.includes('a '));
    const { code, out, err } = run(['logs', 'a', '--data', data]);
    assert.equal([code, out, err], [0, '', 'Module "a" has logged nothing yet.\n']);
    assert.match(run(['logs', 'nobody', '--data', data]).err, /There is no log of a module "nobody"/);
  } finally {
    await hub.end();
    removeFolder(folder);
  }
});

few.run();
