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
  // A sandbox has its own /tmp, so the test folder is outside of /tmp.
  context.folder = folderWith({}, '/var/tmp');
  chmodSync(context.folder, 0o755);
  context.data = join(context.folder, 'data');
});
sandboxed.after.each(({ folder }) => removeFolder(folder));

/** Returns the log of a module once it has the line `done`. */
async function logged(data: string, module: string): Promise<string[]> {
  const file = join(data, 'logs', `${module}.log`);
  const text = (): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  await until(`"${module}" has logged its last line`, () => / done\r?$/m.test(text()));
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

sandboxed(
  'modules and programs of health checks inherit no open file of the hub',
  async ({ folder, data }) => {
    const exec = ['sh', '-c', `${LISTING}; echo done; exec sleep 1000`];
    // Without "exec" the shell would save its own output as another descriptor during the listing.
    const check = { exec: ['sh', '-c', `exec > checked.new; ${LISTING} && mv checked.new checked`] };
    const first = { exec, startupOrder: 0 };
    const modules = {
      terminal: { ...first, tty: true },
      none: { ...first, health: { ...check, everySeconds: 1 } },
      lines: { ...first, io: 'lines' },
      // The hub has the terminal of the first module open when these modules start.
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
      // The test proves something only if the hub has inheritable open files.
      for (const file of ['m.json', 'data.mdb']) assert.ok(openedFor(hub.process.pid ?? 0, file), file);
    } finally {
      await hub.end('SIGTERM');
    }
  },
);

/** Runs a hub whose sandboxed modules list and write their own folder. */
async function withSandboxes(folder: string, data: string, scenario: (hub: RunningHub) => Promise<void>) {
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
    await scenario(hub);
  } finally {
    await hub.end('SIGTERM');
  }
}

/** True if sandboxes are available here; otherwise reports why not. */
function isSandboxed(data: string): boolean {
  const { out } = run(['ps', '--data', data]);
  if (!out.includes('not enforced')) return true;
  skip('sandboxes are not available here');
  return false;
}

sandboxed(
  'a module runs in a sandbox although the paths of the data folder and the manifest contain symbolic links',
  async ({ folder, data }) => {
    mkdirSync(join(folder, 'real'));
    symlinkSync('real', data);
    await withSandboxes(folder, data, async () => {
      for (const name of ['standard', 'strict']) {
        const lines = (await logged(data, name)).map(line => line.slice(29));
        if (!isSandboxed(data)) return;
        assert.equal(lines.slice(0, 2), [name, 'may write'], lines.join('\n'));
      }
    });
  },
);

sandboxed(
  'sandboxed modules can write into their folders when the umask of the hub is 077',
  async context => {
    const before = process.umask(0o077);
    try {
      await withSandboxes(context.folder, context.data, async () => {
        for (const name of ['standard', 'strict']) {
          const lines = (await logged(context.data, name)).map(line => line.slice(29));
          assert.ok(lines.includes('may write'), lines.join('\n'));
        }
      });
    } finally {
      process.umask(before);
    }
  },
);

sandboxed.run();
