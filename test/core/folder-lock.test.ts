import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../src/core/errors.ts';
import { lockFolder } from '../../src/core/files/folder-lock.ts';
import { fillDisk, onTmpfs } from '../harness/disks.ts';

/** Number of processes that take the lock at the same time. */
const PROCESSES = 4;
/** Number of attempts, because one attempt seldom hits the race. */
const ROUNDS = 50;

const NOBODY = 65_534;

type Holder = { readonly process: ChildProcess; readonly ask: (command: string) => Promise<string> };

type Context = { folder: string; readonly holders: Holder[] };

const locks = suite<Context>('core: lock of a data folder', { folder: '', holders: [] });

locks.before.each(context => {
  context.folder = mkdtempSync(join(tmpdir(), 'skerry-lock-'));
});

locks.after.each(({ folder, holders }) => {
  for (const holder of holders.splice(0)) holder.process.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** Starts a process that locks the folder on request. */
function startHolder({ folder, holders }: Context): Holder {
  const program = join(import.meta.dirname, 'lock-holder.ts');
  const child = spawn(process.execPath, [program, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (command: string): Promise<string> => {
    child.stdin.write(`${command}\n`);
    const { value } = await answers.next();
    return value ?? 'the process exited';
  };
  const holder = { process: child, ask };
  holders.push(holder);
  return holder;
}

function refusalOf(folder: string, waitMs?: number): string {
  try {
    lockFolder(folder, waitMs).release();
    return 'locked';
  } catch (thrown) {
    assert.instance(thrown, Failure);
    return thrown instanceof Failure ? `${thrown.code}: ${thrown.message}` : '';
  }
}

locks('`lockFolder` refuses a locked folder with the pid of the locking process', async context => {
  const holder = startHolder(context);
  assert.is(await holder.ask('take'), 'locked');
  assert.is(
    refusalOf(context.folder),
    `data.locked: The data folder ${context.folder} is in use by another hub (pid ${holder.process.pid}): ` +
      'stop it, or name another folder with --data DIR.',
  );
  assert.is(await holder.ask('release'), 'released');
  assert.is(refusalOf(context.folder), 'locked');
});

locks('the folder lock of a killed process is released', async context => {
  const holder = startHolder(context);
  assert.is(await holder.ask('take'), 'locked');
  holder.process.kill('SIGKILL');
  await once(holder.process, 'exit');
  assert.is(refusalOf(context.folder), 'locked');
  assert.equal(readdirSync(context.folder), ['skerry.lock']);
  assert.is(statSync(join(context.folder, 'skerry.lock')).size, 0);
});

locks('`lockFolder` waits up to its timeout until the process with the lock exits', async context => {
  const holder = startHolder(context);
  assert.is(await holder.ask('take'), 'locked');
  assert.match(refusalOf(context.folder, 1), /^data\.locked/);
  void holder.ask('exit');
  assert.is(refusalOf(context.folder, 60_000), 'locked');
});

locks('exactly one of several processes that start at the same time locks the folder', async context => {
  const processes = Array.from({ length: PROCESSES }, () => startHolder(context));
  for (let round = 0; round < ROUNDS; round++) {
    const answers = await Promise.all(processes.map(({ ask }) => ask('take')));
    const locked = answers.filter(answer => answer === 'locked');
    assert.is(locked.length, 1, answers.join('\n'));
    for (const { ask } of processes) assert.is(await ask('release'), 'released');
  }
});

locks('a folder stays locked until the release, also if the lock is garbage-collected', async context => {
  lockFolder(context.folder);
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  assert.type(collect, 'function');
  if (typeof collect === 'function') collect();
  await new Promise(resolve => setImmediate(resolve));
  assert.match(
    await startHolder(context).ask('take'),
    new RegExp(`in use by another hub .pid ${process.pid}.`),
  );
});

locks(
  'a second lock of a folder in one process is refused, and the first lock stays in place',
  async context => {
    const lock = lockFolder(context.folder);
    assert.match(refusalOf(context.folder), /^data\.locked/);
    const holder = startHolder(context);
    assert.match(await holder.ask('take'), /in use by another hub/);
    lock.release();
    assert.is(await holder.ask('take'), 'locked');
  },
);

locks('another user cannot lock a data folder, even if the folder is world-readable', context => {
  if (process.geteuid?.() !== 0) {
    process.stdout.write('\nskipped: the lock and other users: only root can become another user\n');
    return;
  }
  chmodSync(context.folder, 0o755);
  const before = process.umask(0);
  lockFolder(context.folder).release();
  process.umask(before);
  const file = join(context.folder, 'skerry.lock');
  assert.is(statSync(file).mode & 0o777, 0o600);
  for (const access of ['<', '>>']) {
    const { status } = spawnSync('sh', ['-c', `: ${access} "${file}"`], { uid: NOBODY, gid: NOBODY });
    assert.is.not(status, 0, access);
  }
});

locks('a folder on a full disk can be locked, and a second process cannot lock it again', async context =>
  onTmpfs(1, async disk => {
    const folder = join(disk, 'data');
    lockFolder(folder).release();
    fillDisk(join(disk, 'others'));
    const holder = startHolder({ ...context, folder });
    assert.is(await holder.ask('take'), 'locked');
    assert.match(refusalOf(folder), new RegExp(`^data\\.locked: .*pid ${holder.process.pid}`));
    holder.process.kill('SIGKILL');
    await once(holder.process, 'exit');
    assert.is(refusalOf(folder), 'locked');
  }),
);

locks('`lockFolder` refuses a folder that is not writable with the error of the system', context => {
  const file = join(context.folder, 'skerry.lock');
  mkdirSync(file);
  assert.match(
    refusalOf(context.folder),
    /^data\.unwritable: .* cannot be written \(.+\): name another with --data DIR\.$/,
  );
  assert.match(refusalOf('/proc/nowhere'), /^data\.unwritable: .* cannot be written \(ENOENT/);
});

locks.run();
