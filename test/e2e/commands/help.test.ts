import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, follow, removeFolder, run, skerry } from '../../harness/binary.ts';

const cli = suite('e2e: help, completions and the man page');

cli('`--help`, `-h` and `skerry help` print help, but `-h` of `skerry pub` sets the host', () => {
  const text = run(['help', 'queue', 'peek']);
  assert.is(text.code, 0);
  assert.match(text.out, /^Usage: skerry queue peek <queue> \[options\]\n/);
  assert.match(text.out, /-n, --count N +Messages to show\. Default: 10\.\n/);
  for (const args of [
    ['queue', 'peek', '--help'],
    ['queue', 'peek', 'x', '-h'],
  ])
    assert.is(run(args).out, text.out);
  assert.match(run(['up', '--help']).out, /^Usage: skerry up \[<manifest>\] \[options\]\n/);
  assert.match(run(['pub', '-h']).err, /The option -h needs a value, HOST\./);
  assert.match(run([]).out, /^skerry \S+: an edge hub for small machines\.\n/);
});

cli('`skerry version` prints text without --json and JSON with --json', () => {
  assert.equal(Object.keys(JSON.parse(run(['version', '--json']).out)), ['version', 'arch', 'node']);
  assert.match(run(['-V']).out, /^skerry \d+\.\d+\.\d+ \(/);
});

cli('`skerry up --log-format json` logs one JSON object per line', async () => {
  const folder = folderWith({ 'm.json': '{"name": "edge", "listeners": [{"unix": "mqtt.sock"}]}' });
  const args = ['up', join(folder, 'm.json'), '--data', join(folder, 'data'), '--log-format'];
  const hub = follow(spawn(skerry, [...args, 'json'], { stdio: ['ignore', 'ignore', 'pipe'] }));
  await hub.listens();
  assert.is(await hub.end(), 0);
  const lines = hub.log().trimEnd().split('\n');
  const parsed = lines.map((line): { time: string; level: string; area: string; message: string } =>
    JSON.parse(line),
  );
  assert.ok(parsed.length >= 3);
  for (const { time, level, area, message } of parsed) {
    assert.ok(Date.parse(time) > 0);
    assert.ok(['info', 'warn', 'error'].includes(level));
    assert.ok(area.length > 0 && message.length > 0);
  }
  assert.match(parsed[0]?.message ?? '', /^Starting skerry \S+ with the data folder /);
  const refused = run([...args, 'xml']);
  assert.equal([refused.code, refused.err.includes('--log-format')], [2, true]);
  removeFolder(folder);
});

cli('the completion script for bash completes commands, verbs, options and choices', () => {
  const folder = folderWith({});
  const script = join(folder, 'skerry.bash');
  writeFileSync(script, run(['completion', 'bash']).out);
  /** Completions of the last word of a line. */
  const offered = (line: string): string[] => {
    const program = `source ${script}; COMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _skerry; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', program], { encoding: 'utf8' });
    assert.is(stderr, '');
    return stdout.trim().split('\n');
  };
  assert.equal(offered('skerry st'), ['start', 'stop']);
  assert.equal(offered('skerry queue p'), ['peek']);
  assert.equal(offered("skerry queue dead ''").slice(0, 2), ['replay', 'drop']);
  assert.equal(offered('skerry queue peek --c'), ['--count']);
  assert.equal(offered("skerry routes check --dialect ''"), ['skerry', 'azure']);
  assert.equal(offered("skerry completion ''").slice(0, 3), ['bash', 'zsh', 'fish']);
  removeFolder(folder);
});

cli('the completion scripts for zsh and fish contain each command', () => {
  assert.match(run(['completion', 'zsh']).out, /^#compdef skerry\n[\s\S]*'queue dead replay'/);
  assert.match(run(['completion', 'fish']).out, /complete -c skerry -n .*"queue dead".* -a 'replay'/);
  assert.match(
    run(['completion', 'tcsh']).err,
    /There is no completion for "tcsh", only for bash, zsh, fish\./,
  );
});

cli('the man page renders without a warning of the formatter', () => {
  const { out, code } = run(['man']);
  assert.is(code, 0);
  assert.match(out, /^\.TH SKERRY 1 /);
  assert.not.match(out, /^['.](?!\\"|TH|SH|SS|TP|PP|B|I|RS|RE|nf|fi)/m);
  const roff = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-z'], { input: out, encoding: 'utf8' });
  if (roff.error === undefined) assert.equal([roff.status, roff.stderr], [0, '']);
});

/** Runs the binary on a terminal of 60 columns. Returns its output. */
function onTerminal(args: string, environment: Readonly<Record<string, string>> = {}): string {
  const env = { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color', ...environment };
  const command = `stty cols 60; ${skerry} ${args}`;
  const { stdout, error } = spawnSync('script', ['-qec', command, '/dev/null'], { env, encoding: 'utf8' });
  if (error !== undefined) process.stdout.write('skipped: there is no "script" to make a terminal\n');
  return stdout ?? '';
}

cli('help on a terminal is coloured unless NO_COLOR is set', () => {
  const coloured = onTerminal('help queue peek');
  if (coloured === '') return;
  assert.ok(coloured.includes('\x1b[1mUsage:\x1b[22m skerry queue peek'), coloured);
  for (const line of coloured.split('\r\n'))
    assert.ok(line.length <= 72 || line.startsWith('  skerry'), line);
  assert.not.ok(onTerminal('help queue peek', { NO_COLOR: '1' }).includes('\x1b'));
});

cli('the headings of a table are bold on a terminal', () => {
  const folder = folderWith({});
  run(['keygen', '--out', join(folder, 'a')]);
  assert.is(run(['trust', join(folder, 'a.pub'), '--data', folder]).code, 0);
  const shown = onTerminal(`trust --list --data ${folder}`);
  removeFolder(folder);
  if (shown === '') return;
  assert.ok(shown.includes('\x1b[1mNAME\x1b[22m'), shown);
});

cli('`skerry help` writes no colours to a pipe', () => {
  assert.not.ok(run(['help']).out.includes('\x1b'));
});

cli.run();
