import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, removeFolder, run, skerry, until } from '../../harness/binary.ts';

const logs = suite<{ folder: string; logs: string; data: string[] }>('e2e: skerry logs');

logs.before.each(context => {
  context.folder = folderWith({});
  context.logs = join(context.folder, 'logs');
  context.data = ['--data', context.folder];
  mkdirSync(context.logs);
});
logs.after.each(({ folder }) => removeFolder(folder));

const entry = (second: number, text: string, stream = 'err'): string =>
  `2026-05-06T07:08:${String(second).padStart(2, '0')}.000Z ${stream} ${text}\n`;

logs('`skerry logs` merges the entries of several modules by time, also across rotated files', context => {
  const { logs: folder, data } = context;
  writeFileSync(join(folder, 'a.log.1'), entry(1, 'a one'));
  writeFileSync(join(folder, 'a.log'), entry(3, 'a two') + entry(5, 'a three'));
  writeFileSync(join(folder, 'b.log'), entry(2, 'b one') + entry(4, 'b two', 'out'));
  const all = run(['logs', ...data]);
  const lines = all.out.trimEnd().split('\n');
  assert.equal(
    lines.map(line => line.slice(-5)),
    ['a one', 'b one', 'a two', 'b two', 'three'],
  );
  assert.is(lines[3], 'b | 2026-05-06T07:08:04.000Z out b two');
  assert.is(run(['logs', 'b', '-n', '1', ...data]).out, entry(4, 'b two', 'out'));
  assert.is(run(['logs', 'a', 'b', '-n', '2', ...data]).out.split('\n').length, 3);
});

logs(
  '`skerry logs` prints only the entries that --since, --grep and --lines select',
  ({ logs: folder, data }) => {
    const now = new Date().toISOString();
    writeFileSync(join(folder, 'a.log'), `${entry(1, 'old (x)')}${now} err new (x)\n${now} err other\n`);
    const texts = (...flags: string[]): string[] => {
      const { out } = run(['logs', '--json', ...flags, ...data]);
      return out
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line).text);
    };
    assert.equal(texts(), ['old (x)', 'new (x)', 'other']);
    assert.equal(texts('--since', '1h'), ['new (x)', 'other']);
    assert.equal(texts('--since', '2026-05-06T07:08:02Z'), ['new (x)', 'other']);
    assert.equal(texts('--grep', '(x)'), ['old (x)', 'new (x)']);
    assert.equal(texts('--grep', '(x)', '--since', '1h'), ['new (x)']);
    assert.equal(texts('--grep', '(x)', '--lines', '1'), ['new (x)']);
    assert.equal(JSON.parse(run(['logs', '--json', '-n', '1', ...data]).out), {
      module: 'a',
      time: now,
      stream: 'err',
      text: 'other',
    });
  },
);

logs('`skerry logs` prints logged bytes unchanged to a pipe', ({ logs: folder, data }) => {
  const line = Buffer.concat([Buffer.from(entry(1, '').trimEnd()), Buffer.from([0x20, 0xff, 0x1b, 0x0a])]);
  writeFileSync(join(folder, 'a.log'), line);
  assert.is(run(['logs', 'a', ...data]).out, line.toString());
});

logs('`skerry logs -f` follows rotations and new log files until SIGINT', async context => {
  const { logs: folder, data } = context;
  const path = join(folder, 'a.log');
  writeFileSync(path, entry(1, 'one'));
  const child = spawn(skerry, ['logs', '-f', ...data], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const shows = (what: string): Promise<void> => until(`it shows ${what}`, () => text.includes(what));
  await shows('a | 2026-05-06T07:08:01.000Z err one');
  appendFileSync(path, entry(2, 'two'));
  renameSync(path, `${path}.1`);
  appendFileSync(path, entry(3, 'three'));
  await shows('two');
  await shows('three');
  writeFileSync(join(folder, 'b.log'), entry(4, 'four'));
  await shows('b | 2026-05-06T07:08:04.000Z err four');
  assert.is(text.split('\n').length, 5);
  const gone = new Promise(done => child.once('exit', (_code, signal) => done(signal)));
  child.kill('SIGINT');
  assert.is(await gone, 'SIGINT');
});

logs(
  '`skerry logs` ends by SIGPIPE without an error when the reader closes the pipe',
  async ({ logs: folder, data }) => {
    writeFileSync(join(folder, 'a.log'), entry(1, 'x'.repeat(1_000)).repeat(900));
    const command = `'${skerry}' logs -f -n 900 ${data.join(' ')} | head -n 1; echo "\${PIPESTATUS[0]}"`;
    const child = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', chunk => {
      out += chunk;
    });
    child.stderr.on('data', chunk => {
      err += chunk;
    });
    await new Promise(done => child.once('close', done));
    assert.equal([out.split('\n').length, out.split('\n')[1], err], [3, '141', '']);
  },
);

logs('`skerry logs` refuses a wrong argument with one sentence', ({ folder, data }) => {
  const refused = (...args: string[]): string => {
    const { code, err } = run(['logs', ...args]);
    assert.ok(code !== 0);
    return err.trimEnd();
  };
  assert.match(refused('nobody', ...data), /There is no log of a module "nobody" in/);
  assert.match(refused('--since', 'tea', ...data), /--since must be a time ago such as "90s"/);
  assert.match(refused('--lines', '-1', ...data), /--lines/);
  assert.match(refused('--data', join(folder, 'none')), /There are no logs in .*: name the hub's folder/);
});

logs('`skerry logs` prints all lines to a reader that reads slowly', ({ logs: folder, data }) => {
  const lines = 20_000;
  writeFileSync(join(folder, 'a.log'), entry(1, 'a line that is one of many').repeat(lines));
  const command = `'${skerry}' logs -n ${lines} ${data.join(' ')} | (sleep 0.5; wc -l)`;
  assert.is(Number(execFileSync('sh', ['-c', command], { encoding: 'utf8' })), lines);
});

logs.run();
