import { spawn, spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { verifyPassword } from '../../../src/crypto/passwords.ts';
import { run, skerry } from '../../harness/binary.ts';

const passwd = suite('e2e: skerry passwd');

passwd('`skerry passwd` hashes one line of standard input', async () => {
  for (const [input, password] of [
    ['correct horse\n', 'correct horse'],
    ['no end', 'no end'],
    [' spaces \r\nnext line', ' spaces '],
  ] as const) {
    const { code, out, err } = run(['passwd'], input);
    assert.equal([code, err], [0, '']);
    assert.match(out, /^\$scrypt\$ln=13,r=8,p=1\$[^\n]+\n$/);
    assert.ok(await verifyPassword(Buffer.from(password), out.trim()));
  }
});

passwd(
  '`skerry passwd` refuses an empty or too long password, and the error does not repeat the password',
  () => {
    for (const [args, input, sentence] of [
      [[], '\n', /The password is empty/],
      [[], 'x'.repeat(2000), /longer than 1024 bytes/],
      [['hunter2'], '', /takes no arguments\./],
    ] as const) {
      const { code, out, err } = run(['passwd', ...args], input);
      assert.equal([code, out], [2, '']);
      assert.match(err, sentence);
      assert.not.match(err, /hunter2|xxx/);
    }
  },
);

/**
 * Runs skerry passwd on a terminal and types one of `lines` at each question. Resolves to the output and the
 * exit code.
 */
async function typed(lines: readonly string[]): Promise<{ shown: string; code: number | null }> {
  const child = spawn('script', ['-qec', `${skerry} passwd`, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  let asked = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    const questions = shown.match(/(Password|Again): /g)?.length ?? 0;
    for (; asked < questions; asked++) child.stdin.write(lines[asked] ?? '');
  });
  const code = await new Promise<number | null>(resolve => child.once('close', resolve));
  return { shown, code };
}

passwd('`skerry passwd` on a terminal asks twice and does not show the password', async () => {
  if (spawnSync('script', ['--version']).error !== undefined) {
    process.stdout.write('\nskipped: there is no "script" to make a terminal with\n');
    return;
  }
  const { shown, code } = await typed(['secrex\u007ft\r', 'secret\r']);
  assert.is(code, 0, shown);
  const [line = ''] = /\$scrypt\S+/.exec(shown) ?? [];
  assert.ok(await verifyPassword(Buffer.from('secret'), line), shown);
  assert.not.match(shown, /secre/);
  const differing = await typed(['secret\r', 'other\r']);
  assert.is(differing.code, 2);
  assert.match(differing.shown, /The two are not the same/);
  const interrupted = await typed(['sec\u0003']);
  assert.is(interrupted.code, 2);
  assert.not.match(interrupted.shown, /scrypt/);
});

passwd.run();
