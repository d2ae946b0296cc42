import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { argumentsOf, asksForHelp, scanArguments } from '../../src/cli/arguments.ts';
import { systemHint } from '../../src/cli/data-folder.ts';
import { PUB } from '../../src/cli/reference/clients.ts';
import { helpOf, overview } from '../../src/cli/reference/formats/help.ts';
import { markdown } from '../../src/cli/reference/formats/markdown.ts';
import { COMMANDS, findCommand } from '../../src/cli/reference/table.ts';
import { ACTIONS } from '../../src/hub/control/control.ts';

const reference = suite('cli: table of commands');

reference('every command has a unique name, a summary sentence and unique option letters', () => {
  const names = COMMANDS.map(({ name }) => name);
  assert.is(new Set(names).size, names.length);
  for (const { name, summary, options } of COMMANDS) {
    assert.match(summary, /^[A-Z][^.]*(\.[^.]+)*\.$/, name);
    const letters = Object.values(options).flatMap(({ short }) => short ?? []);
    assert.is(new Set(letters).size, letters.length, name);
    for (const [option, { type, value, about }] of Object.entries(options)) {
      assert.is(type === 'string', value !== undefined, `${name} --${option}`);
      assert.match(about, /^[A-Z].*\.$/s, `${name} --${option}`);
    }
  }
});

reference('every example of a command is a command line that the command table accepts', () => {
  for (const { name, examples } of COMMANDS) {
    assert.ok(examples.length > 0, name);
    for (const { line } of examples) {
      const matches = Array.from(line.matchAll(/'([^']*)'|(\S+)/g));
      const end = matches.findIndex(([, , bare = '']) => /^(\|\|?|[<>])$/.test(bare));
      const words = matches
        .slice(1, end < 0 ? undefined : end)
        .map(([, quoted, bare]) => quoted ?? bare ?? '');
      const found = findCommand(words);
      assert.is(found?.entry.name, name, line);
      if (found !== undefined) assert.not.throws(() => argumentsOf(found.entry, found.rest), line);
    }
  }
});

reference(
  'every request of the control socket is sent by a command of the table, and no command sends an unknown request',
  () => {
    const asked = new Set(COMMANDS.flatMap(({ requests = [] }) => requests));
    assert.equal([...asked].sort(), [...Object.keys(ACTIONS), 'attach'].sort());
    const writing = COMMANDS.filter(
      ({ role, requests = [] }) => role === 'view' && !requests.every(isReading),
    );
    assert.equal(writing, [], 'a role that only views changes nothing');
  },
);

function isReading(request: string): boolean {
  return (
    !/^(apply|start|stop|restart|attach)$|drop|replay$|kick|clear/.test(request) ||
    request === 'routes replay'
  );
}

reference('docs/reference/cli.md equals the page that is generated from the command table', () => {
  const page = readFileSync(new URL('../../docs/reference/cli.md', import.meta.url), 'utf8');
  assert.ok(page === markdown(), 'make it again with "npm run reference"');
});

reference('a help text names every argument, option, default and exit code', () => {
  const text = helpOf(PUB);
  assert.match(text, /^Usage: skerry pub -t TOPIC \[options\]\n/);
  assert.match(text, /-h, --host HOST .*Default: 127\.0\.0\.1\./);
  assert.match(text, /\n {2}2 {2}Wrong usage/);
  for (const { name } of COMMANDS) assert.match(overview(), new RegExp(`\\b${name.split(' ').at(-1)}\\b`));
  for (const command of COMMANDS) {
    const lines = helpOf(command).split('\n');
    const long = lines.filter(line => line.length > 80 && !line.startsWith('  skerry '));
    assert.equal(long, [], command.name);
  }
});

reference('a value of an option may begin with a dash if the value is not itself an option', () => {
  const { values } = argumentsOf(PUB, ['-t', 'a', '-m', '-5', '-q1', '-rV', '5', '--id=-']);
  assert.equal([values.message, values.qos, values.retain, values.id], ['-5', '1', true, '-']);
  assert.throws(() => argumentsOf(PUB, ['-t', 'a', '-m', '-r']), /The option -m needs a value, TEXT\./);
  assert.is(argumentsOf(PUB, ['-t', 'a', '--message=-r']).values.message, '-r');
  assert.equal(scanArguments(PUB, ['--', '-m', '--help']).positionals, ['-m', '--help']);
});

reference('`--help` prints help only as an option, not as the value of another option', () => {
  assert.ok(asksForHelp(PUB, ['-t', 'a', '--help']));
  assert.not(asksForHelp(PUB, ['-t', 'a', '-m', '--help', '-h', 'host']));
  assert.not(asksForHelp(PUB, ['--', '--help']));
});

reference(
  'a command that finds no hub in the local data folder suggests sudo if the system data folder exists',
  () => {
    assert.match(
      systemHint(resolve('.skerry'), true) ?? '',
      /\/var\/lib\/skerry answers its own user and root only/,
    );
    assert.is(systemHint(resolve('.skerry'), false), undefined);
    assert.is(systemHint('/elsewhere', true), undefined);
  },
);

reference.run();
