import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

const project = resolve(import.meta.dirname, '../../..');

/** Programs that the tests and the hub need. busybox provides all others. */
const TOOLS = [
  ...[
    'sh',
    'env',
    'cat',
    'head',
    'tail',
    'sleep',
    'id',
    'ls',
    'touch',
    'test',
    'true',
    'stat',
    'mkfifo',
    'yes',
  ],
  ...['setsid', 'setpriv', 'unshare', 'prlimit', 'mount', 'umount', 'bwrap', 'grep', 'sed', 'dd', 'rm', 'wc'],
];

const FOLDERS = ['dev', 'proc', 'sys', 'tmp', 'run', 'var/tmp', 'root', 'etc', 'bin', 'usr/bin'];

const DISK_MEBIBYTES = 400;

/** Creates a disk with the project, the runtime and the tools. `init` is the first program. */
export function makeDisk(folder: string, init: string): string {
  const root = join(folder, 'root');
  rmSync(root, { recursive: true, force: true });
  for (const name of FOLDERS) mkdirSync(join(root, name), { recursive: true });
  writeFileSync(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n',
  );
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n');
  writeFileSync(join(root, 'init'), init, { mode: 0o755 });
  copyProgram(root, process.execPath, '/usr/bin/node');
  for (const name of TOOLS) {
    const path = which(name);
    copyProgram(root, path, `/usr/bin/${basename(name)}`);
  }
  copyProgram(root, which('busybox'), '/bin/busybox');
  copyProgram(root, which('sh'), '/bin/sh');
  copyProject(join(root, 'project'));
  const disk = join(folder, 'disk.ext4');
  rmSync(disk, { force: true });
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', root, disk, `${DISK_MEBIBYTES}M`]);
  rmSync(root, { recursive: true });
  return disk;
}

function which(name: string): string {
  try {
    return execFileSync(
      'sh',
      ['-c', `command -v /usr/bin/${name} /bin/${name} /usr/sbin/${name} | head -n 1`],
      {
        encoding: 'utf8',
      },
    ).trim();
  } catch {
    throw new Error(`The virtual machine needs ${name}: install it.`);
  }
}

/** Copies a program with its shared libraries. */
function copyProgram(root: string, path: string, target: string): void {
  copyFileSync(path, join(root, target));
  const listed = execFileSync('sh', ['-c', 'ldd "$0" 2> /dev/null || true', path], { encoding: 'utf8' });
  for (const [, library = ''] of listed.matchAll(/(\/\S+) \(0x/g)) {
    const copy = join(root, library);
    if (existsSync(copy)) continue;
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(library, copy);
  }
}

function copyProject(target: string): void {
  for (const part of ['src', 'test', 'package.json', 'dist/skerry']) {
    cpSync(join(project, part), join(target, part), { recursive: true });
  }
  for (const name of packagesBehind('uvu')) {
    cpSync(join(project, 'node_modules', name), join(target, 'node_modules', name), { recursive: true });
  }
}

/** Returns a package with all its dependencies. */
function packagesBehind(name: string, found = new Set<string>()): Set<string> {
  found.add(name);
  const text = readFileSync(join(project, 'node_modules', name, 'package.json'), 'utf8');
  const { dependencies = {} }: { dependencies?: Readonly<Record<string, string>> } = JSON.parse(text);
  for (const one of Object.keys(dependencies)) if (!found.has(one)) packagesBehind(one, found);
  return found;
}
