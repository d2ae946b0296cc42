import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, removeFolder, run } from './stage.ts';

const cli = suite('e2e: help, completions and the man page');

cli('help is printed by --help, -h and skerry help, and -h of pub is the host', () => {
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

cli('the version is printed as JSON, too', () => {
  assert.equal(Object.keys(JSON.parse(run(['version', '--json']).out)), ['version', 'arch', 'node']);
  assert.match(run(['-V']).out, /^skerry \d+\.\d+\.\d+ \(/);
});

cli('bash completes commands, verbs, options and choices', () => {
  const folder = folderWith({});
  const script = join(folder, 'skerry.bash');
  writeFileSync(script, run(['completion', 'bash']).out);
  /** The words offered for the last word of a line. */
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

cli('scripts of zsh and fish hold each command, and another shell is refused', () => {
  assert.match(run(['completion', 'zsh']).out, /^#compdef skerry\n[\s\S]*'queue dead replay'/);
  assert.match(run(['completion', 'fish']).out, /complete -c skerry -n .*"queue dead".* -a 'replay'/);
  assert.match(
    run(['completion', 'tcsh']).err,
    /There is no completion for "tcsh", only for bash, zsh, fish\./,
  );
});

cli('the man page is formatted without a warning', () => {
  const { out, code } = run(['man']);
  assert.is(code, 0);
  assert.match(out, /^\.TH SKERRY 1 /);
  assert.not.match(out, /^['.](?!\\"|TH|SH|SS|TP|PP|B|I|RS|RE|nf|fi)/m);
  const roff = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-z'], { input: out, encoding: 'utf8' });
  if (roff.error === undefined) assert.equal([roff.status, roff.stderr], [0, '']);
});

cli('output to a pipe is not coloured', () => {
  assert.not.ok(run(['help']).out.includes('\x1b'));
});

cli.run();
