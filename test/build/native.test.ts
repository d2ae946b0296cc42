import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Failure } from '../../src/core/errors.ts';
import { placeNative } from '../../src/core/files/native.ts';
import { skip } from '../harness/skip.ts';

/** Number of simultaneous starts, because one attempt seldom hits the race. */
const ROUNDS = 25;

const program = join(import.meta.dirname, 'placing.ts');
const part = join(
  import.meta.dirname,
  `../../node_modules/@lmdb/lmdb-linux-${process.arch}/node.napi.glibc.node`,
);
const content = readFileSync(part);
const hash = createHash('sha256').update(content).digest('hex');
const file = `lmdb-${hash}.node`;

type Folder = { readonly outside: string; readonly native: string; readonly path: string };

const native = suite<Folder>('build: native parts', { outside: '', native: '', path: '' });

native.before.each(context => {
  const outside = mkdtempSync(join(tmpdir(), 'skerry-native-'));
  const folder = join(outside, 'native');
  Object.assign(context, { outside, native: folder, path: join(folder, file) });
});

native.after.each(({ outside }) => rmSync(outside, { recursive: true }));

function place(folder: string): string {
  return placeNative(folder, 'lmdb', hash, content);
}

function refuses(folder: string, sentence: RegExp): void {
  assert.throws(
    () => place(folder),
    (thrown: unknown) =>
      thrown instanceof Failure && thrown.code === 'native.unloadable' && sentence.test(thrown.message),
  );
}

native(
  'the folder and the file of an extracted native library are accessible to the current user only',
  context => {
    assert.is(place(context.native), context.path);
    assert.is(lstatSync(context.native).mode & 0o777, 0o700);
    assert.is(lstatSync(context.path).mode & 0o777, 0o500);
    assert.ok(readFileSync(context.path).equals(content));
    assert.equal(readdirSync(context.native), [file]);
  },
);

native('an extracted native library with the correct hash is used unchanged', context => {
  place(context.native);
  const { ino } = lstatSync(context.path);
  place(context.native);
  assert.is(lstatSync(context.path).ino, ino);
});

/** Foreign files at the path of a native part. */
const PLANTED: Readonly<Record<string, (context: Folder) => void>> = {
  'a file with one byte changed': ({ path }) => {
    const wrong = Buffer.from(content);
    wrong[wrong.length - 1] = (wrong.at(-1) ?? 0) ^ 1;
    writeFileSync(path, wrong, { mode: 0o500 });
  },
  'half of the file': ({ path }) => writeFileSync(path, content.subarray(0, content.length >> 1)),
  'an empty file': ({ path }) => writeFileSync(path, ''),
  'a longer file': ({ path }) => writeFileSync(path, Buffer.concat([content, content])),
  'a file that its group may write': ({ path }) => {
    writeFileSync(path, content);
    chmodSync(path, 0o520);
  },
  'a link to a correct file elsewhere': ({ outside, path }) => {
    writeFileSync(join(outside, 'elsewhere'), content);
    symlinkSync(join(outside, 'elsewhere'), path);
  },
  'a dangling link': ({ path }) => symlinkSync('nowhere', path),
  'a pipe': ({ path }) => {
    execFileSync('mkfifo', [path]);
  },
  'a folder': ({ path }) => mkdirSync(join(path, 'inner'), { recursive: true }),
};

for (const [what, plant] of Object.entries(PLANTED)) {
  native(`${what} in place of a native library is replaced and not loaded`, context => {
    mkdirSync(context.native, { mode: 0o700 });
    plant(context);
    const before = readdirSync(context.outside);
    place(context.native);
    const stats = lstatSync(context.path);
    assert.ok(stats.isFile());
    assert.is(stats.mode & 0o777, 0o500);
    assert.ok(readFileSync(context.path).equals(content));
    assert.equal(readdirSync(context.native), [file]);
    assert.equal(readdirSync(context.outside), before);
  });
}

native('an extracted native library that another user owns is replaced', context => {
  if (process.geteuid?.() !== 0) return skip('only root can give a file away');
  place(context.native);
  chownSync(context.path, 65_534, 65_534);
  place(context.native);
  assert.is(lstatSync(context.path).uid, 0);
});

native('a folder for native libraries that other users may write to is refused', context => {
  mkdirSync(context.native);
  for (const mode of [0o720, 0o702, 0o777]) {
    chmodSync(context.native, mode);
    refuses(context.native, /only this user can write to/);
  }
  assert.equal(readdirSync(context.native), []);
});

native('a symbolic link in place of the folder for native libraries is refused', context => {
  mkdirSync(join(context.outside, 'elsewhere'), { mode: 0o700 });
  symlinkSync('elsewhere', context.native);
  refuses(context.native, /only this user can write to/);
  assert.equal(readdirSync(join(context.outside, 'elsewhere')), []);
});

native('a folder for native libraries that another user owns is refused', context => {
  if (process.geteuid?.() !== 0) return skip('only root can give a folder away');
  mkdirSync(context.native, { mode: 0o700 });
  chownSync(context.native, 65_534, 65_534);
  refuses(context.native, /only this user can write to/);
});

native('native libraries of older binaries and files of interrupted starts are removed', context => {
  mkdirSync(context.native, { mode: 0o700 });
  for (const left of [`lmdb-${'0'.repeat(64)}.node`, `${file}.0123456789abcdef`, 'pty-1.node']) {
    writeFileSync(join(context.native, left), '');
  }
  place(context.native);
  assert.equal(readdirSync(context.native).sort(), [file, 'pty-1.node']);
});

native('two processes that start at the same time both load the native library', async context => {
  mkdirSync(context.native, { mode: 0o700 });
  const starters = [startStarter(context.native), startStarter(context.native)];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      rmSync(context.path, { force: true });
      writeFileSync(context.path, 'planted');
      const answers = await Promise.all(starters.map(({ start }) => start()));
      assert.equal(answers, ['loaded', 'loaded'], `round ${round}`);
    }
    assert.equal(readdirSync(context.native), [file]);
  } finally {
    for (const { end } of starters) end();
  }
});

type Starter = { readonly start: () => Promise<string>; readonly end: () => void };

function startStarter(folder: string): Starter {
  const child = spawn(process.execPath, [program, folder, 'lmdb', hash, part], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    start: async () => {
      child.stdin.write('start\n');
      const { value } = await answers.next();
      return value ?? 'the process exited';
    },
    end: () => child.kill(),
  };
}

/**
 * Runs `script` in a mount namespace. `$mounted` is the mount point, and `start` starts a hub.
 */
function withMounts(context: Folder, script: string): string | undefined {
  const start = `echo | "${process.execPath}" "${program}" "$mounted/native" lmdb ${hash} "${part}"`;
  const whole = `mounted="${context.outside}"; start() { ${start}; }; ${script}`;
  const { status, stdout } = spawnSync('unshare', ['--mount', 'sh', '-c', whole], { encoding: 'utf8' });
  if (status === 0) return stdout;
  skip('file systems cannot be mounted here');
  return undefined;
}

native('a native library on a file system mounted noexec fails with an error that names noexec', context => {
  const output = withMounts(context, 'mount -t tmpfs -o noexec tmpfs "$mounted" && start');
  if (output !== undefined) assert.match(output, /failed to map segment/);
});

native(
  'a start on a read-only file system fails only if the native library is not extracted yet',
  context => {
    const output = withMounts(
      context,
      'mount -t tmpfs -o ro tmpfs "$mounted" && start && mount -o remount,rw "$mounted" && start && mount -o remount,ro "$mounted" && start',
    );
    if (output === undefined) return;
    const [refused, written, reused, ...rest] = output.trim().split('\n');
    assert.match(refused ?? '', /cannot be written \(EROFS.*name another data folder with --data DIR\.$/);
    assert.equal([written, reused, rest], ['loaded', 'loaded', []]);
  },
);

native.run();
