import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RunningHub } from '../../harness/binary.ts';
import { folderWith, removeFolder, run, skerry, startHub, until } from '../../harness/binary.ts';
import { skip } from '../../harness/skip.ts';
import type { Tmux, Window } from './tmux.ts';
import { startTmux } from './tmux.ts';

type Context = { folder: string; data: string; hub: RunningHub; tmux: Tmux };

const attach = suite<Context>('e2e: skerry attach');

const manifest = JSON.stringify({
  name: 'terminals',
  listeners: [{ mqtt: '127.0.0.1:0' }],
  modules: {
    shell: { exec: ['env', 'PS1=inside:', 'sh'], tty: true, stopSignal: 'SIGHUP' },
    top: { exec: ['top', '-d', '0.5'], tty: true },
    plain: { exec: ['sleep', '1000'] },
  },
});

attach.before.each(async context => {
  context.folder = folderWith({ 'm.json': manifest });
  context.data = join(context.folder, 'data');
  context.tmux = startTmux(context.folder);
  context.hub = await startHub(context.folder, 'm.json', 'data');
  await until('all run', () => (context.hub.log().match(/started, pid/g)?.length ?? 0) === 3);
});

attach.after.each(async ({ folder, hub, tmux }) => {
  tmux.close();
  await hub.end('SIGTERM');
  removeFolder(folder);
});

async function openAttached({ tmux, data }: Context, module: string, flags = '', columns = 80, rows = 24) {
  const window = tmux.open(columns, rows);
  await window.shows(/ready:/);
  window.type(`'${skerry}' attach ${module} ${flags} --data '${data}'`);
  window.keys('Enter');
  return window;
}

const detach = async (window: Window, module: string): Promise<void> => {
  window.keys('C-]');
  await window.shows(new RegExp(`Detached from "${module}"\\.\\s+ready:`));
};

attach('an editor works in an attached terminal and keeps running after a detach', async context => {
  const window = await openAttached(context, 'shell');
  const path = join(context.folder, 'edited');
  window.keys('Enter');
  await window.shows(/inside:/);
  window.type(`vim.tiny -u NONE '${path}'`);
  window.keys('Enter');
  await window.shows(/^~$/m);
  window.type('isome text');
  await window.shows(/^some text$/m);
  await detach(window, 'shell');
  // The terminal has left the alternate screen of the editor and shows its previous content.
  assert.match(window.shown(), /attach shell/);
  const again = await openAttached(context, 'shell');
  await again.shows(/^some text$/m);
  again.keys('Escape');
  again.type(':wq');
  again.keys('Enter');
  await until('it is written', () => existsSync(path));
  assert.is(readFileSync(path, 'utf8'), 'some text\n');
});

attach(
  "a program in an attached terminal has the size of the viewer's window, also after a resize",
  async context => {
    const window = await openAttached(context, 'top', '', 100, 30);
    await window.shows(/PID USER .*COMMAND/);
    const rowsOf = (): number => window.shown().trimEnd().split('\n').length;
    await until('it fills the window', () => rowsOf() === 30);
    window.resize(90, 15);
    await until('it fills the smaller window', () => rowsOf() === 15 && /PID USER/.test(window.shown()));
    const shell = await openAttached(context, 'shell', '', 100, 30);
    shell.type('stty size');
    shell.keys('Enter');
    await shell.shows(/^30 100$/m);
    shell.resize(70, 20);
    await until('the size has changed', () => {
      shell.type('stty size');
      shell.keys('Enter');
      return /^20 70$/m.test(shell.shown());
    });
  },
);

attach('a second viewer of an attached terminal sees the same screen as the first', async context => {
  const one = await openAttached(context, 'shell', '');
  one.type('echo from the $((40+2)) first');
  one.keys('Enter');
  await one.shows(/^from the 42 first$/m);
  const other = await openAttached(context, 'shell', '--read-only');
  await other.shows(/^from the 42 first$/m);
  other.type('echo never');
  one.type('echo from the $((40+3)) first');
  one.keys('Enter');
  await other.shows(/^from the 43 first$/m);
  assert.not.match(one.shown(), /never/);
  const screens = [one, other].map(window => window.shown().trimEnd().split('inside:').slice(1));
  assert.equal(screens[0], screens[1]);
  one.type('exit 7');
  one.keys('Enter');
  for (const window of [one, other]) await window.shows(/"shell" has ended: exit 7\./);
});

attach('`skerry attach` restores the terminal of its user if the hub is killed', async context => {
  const window = await openAttached(context, 'top');
  await window.shows(/PID USER/);
  await context.hub.end('SIGKILL');
  await window.shows(/The hub of .* has stopped\.[\s\S]*ready:/);
  window.type('stty -a');
  window.keys('Enter');
  await window.shows(/ icanon .*\n?.* echo /);
});

attach(
  '`skerry attach` refuses a module without a terminal, an unknown module and a call without a TTY',
  async context => {
    const plain = await openAttached(context, 'plain');
    await plain.shows(/Module "plain" has no terminal: set "tty": true/);
    plain.type('echo code $?');
    plain.keys('Enter');
    await plain.shows(/^code 2$/m);
    const nobody = await openAttached(context, 'nobody');
    await nobody.shows(/Unknown module "nobody"/);
    const { code, err } = run(['attach', 'shell', '--data', context.data]);
    assert.is(code, 2);
    assert.match(err, /Standard input and output must be a terminal/);
  },
);

const missing = ['tmux', 'vim.tiny', 'top'].filter(
  tool => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0,
);
if (missing.length === 0) attach.run();
else skip(`skerry attach in a terminal needs ${missing.join(', ')}`);
