import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RunningHub } from '../../harness/binary.ts';
import { folderWith, removeFolder, run, startHub, until } from '../../harness/binary.ts';
import { skip } from '../../harness/skip.ts';

const sandboxed = suite<{ folder: string; data: string }>('e2e: sandboxed modules');

sandboxed.before.each(context => {
  // A sandbox has a /tmp of its own, so all of it is elsewhere.
  context.folder = folderWith({}, '/var/tmp');
  chmodSync(context.folder, 0o755);
  context.data = join(context.folder, 'data');
});
sandboxed.after.each(({ folder }) => removeFolder(folder));

/** Log of a module after its line `done`. */
async function logged(data: string, module: string): Promise<string[]> {
  const file = join(data, 'logs', `${module}.log`);
  const text = (): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  await until(`"${module}" has said all`, () => / done\r?$/m.test(text()));
  return text().split('\n');
}

/** Files beyond the standard streams in a listing of /proc/<pid>/fd, without dangling ones. */
function filesIn(lines: readonly string[]): string[] {
  return lines.filter(line => {
    const [, number = '0', target] = / (\d+) -> (.*?)\r?$/.exec(line) ?? [];
    return Number(number) > 2 && target !== '/dev/null';
  });
}

/** True if a process has an inheritable open file of this name. */
function openedFor(pid: number, name: string): boolean {
  return readdirSync(`/proc/${pid}/fd`).some(number => {
    if (!readlinkSync(`/proc/${pid}/fd/${number}`).endsWith(`/${name}`)) return false;
    const [, flags = ''] =
      /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${number}`, 'utf8')) ?? [];
    return (Number.parseInt(flags, 8) & 0o2000000) === 0;
  });
}

/** Node marks only the first inherited descriptors close-on-exec, up to a gap after sixteen. */
const BEYOND: readonly 'ignore'[] = Array.from({ length: 40 }, () => 'ignore');

const LISTING = 'ls -l /proc/$$/fd';

sandboxed('no module, and no health check, inherits a file of the hub', async ({ folder, data }) => {
  const exec = ['sh', '-c', `${LISTING}; echo done; exec sleep 1000`];
  // Without "exec" the shell would keep its own output under another number for the time of the listing.
  const check = { exec: ['sh', '-c', `exec > checked.new; ${LISTING} && mv checked.new checked`] };
  const first = { exec, startupOrder: 0 };
  const modules = {
    terminal: { ...first, tty: true },
    none: { ...first, health: { ...check, everySeconds: 1 } },
    lines: { ...first, io: 'lines' },
    // The terminal of the first is open when they start.
    other: { exec, startupOrder: 1, tty: true },
    limited: { exec, startupOrder: 1, limits: { pids: 50 } },
    standard: { exec, startupOrder: 1, sandbox: 'standard' },
    strict: { exec, startupOrder: 1, sandbox: 'strict' },
  };
  const manifest = JSON.stringify({ name: 'inherited', listeners: [{ mqtt: '127.0.0.1:0' }], modules });
  const place = folderWith({ 'm.json': manifest }, folder);
  chmodSync(place, 0o755);
  const lent = openSync(join(place, 'm.json'), 'r');
  const hub = await startHub(place, 'm.json', data, [...BEYOND, lent]);
  closeSync(lent);
  try {
    for (const name of Object.keys(modules).filter(one => one !== 'lines')) {
      assert.equal(filesIn(await logged(data, name)), [], name);
    }
    await until('it was checked', () => existsSync(join(place, 'checked')));
    assert.equal(filesIn(readFileSync(join(place, 'checked'), 'utf8').split('\n')), []);
    // Were they not open for whatever the hub starts, there would be nothing to inherit.
    for (const file of ['m.json', 'data.mdb']) assert.ok(openedFor(hub.process.pid ?? 0, file), file);
  } finally {
    await hub.end('SIGTERM');
  }
});

/** A hub whose modules tell what they see of their own folder. */
async function withBoxes(folder: string, data: string, play: (hub: RunningHub) => Promise<void>) {
  const script = 'ls -A "$HOME/.."; touch "$HOME/mark" && echo "may write"; pwd; echo done; exec sleep 1000';
  const modules = Object.fromEntries(
    ['standard', 'strict'].map(sandbox => [sandbox, { exec: ['sh', '-c', script], sandbox }]),
  );
  const manifest = JSON.stringify({ name: 'boxes', listeners: [{ mqtt: '127.0.0.1:0' }], modules });
  const home = folderWith({ 'm.json': manifest }, folder);
  chmodSync(home, 0o755);
  const link = join(folder, 'home');
  symlinkSync(home, link);
  const hub = await startHub(link, 'm.json', data);
  try {
    await play(hub);
  } finally {
    await hub.end('SIGTERM');
  }
}

/** True if sandboxes are available here; otherwise reports why not. */
function isBoxed(data: string): boolean {
  const { out } = run(['ps', '--data', data]);
  if (!out.includes('not enforced')) return true;
  skip('sandboxes cannot be had here');
  return false;
}

sandboxed('the way to the data and to the manifest may lead over links', async ({ folder, data }) => {
  mkdirSync(join(folder, 'real'));
  symlinkSync('real', data);
  await withBoxes(folder, data, async () => {
    for (const name of ['standard', 'strict']) {
      const lines = (await logged(data, name)).map(line => line.slice(29));
      if (!isBoxed(data)) return;
      assert.equal(lines.slice(0, 2), [name, 'may write'], lines.join('\n'));
    }
  });
});

sandboxed('modules reach their folders also where the hub makes all for itself alone', async context => {
  const before = process.umask(0o077);
  try {
    await withBoxes(context.folder, context.data, async () => {
      for (const name of ['standard', 'strict']) {
        const lines = (await logged(context.data, name)).map(line => line.slice(29));
        assert.ok(lines.includes('may write'), lines.join('\n'));
      }
    });
  } finally {
    process.umask(before);
  }
});

sandboxed.run();
