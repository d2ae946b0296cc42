import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DEBIAN_ARCHITECTURES } from '../../../build/package/debian.ts';
import { privateApt } from '../../harness/apt.ts';

export type Architecture = keyof typeof DEBIAN_ARCHITECTURES;

/** Files of Debian's kernel for virtual machines. */
export type Kernel = {
  readonly image: string;
  /** Kernel modules that the initial file system loads, in order. */
  readonly modules: readonly string[];
};

/** Debian's metapackage of each architecture that depends on the newest kernel. */
const METAPACKAGES: Readonly<Record<Architecture, string>> = {
  x64: 'linux-image-cloud-amd64',
  arm64: 'linux-image-arm64',
};

/** Downloads the kernel with apt into `folder` unless it is there. `modules` are names of kernel modules. */
export function fetchKernel(folder: string, architecture: Architecture, modules: readonly string[]): Kernel {
  const unpacked = join(folder, `kernel-${architecture}`);
  if (!existsSync(join(unpacked, 'boot'))) unpack(folder, unpacked, architecture);
  const [image = ''] = globSync(join(unpacked, 'boot/vmlinuz-*'));
  const [installed = ''] = globSync(join(unpacked, 'lib/modules/*'));
  return { image, modules: withDependencies(installed, modules) };
}

function unpack(folder: string, unpacked: string, architecture: Architecture): void {
  const debian = DEBIAN_ARCHITECTURES[architecture];
  const metapackage = METAPACKAGES[architecture];
  rmSync(unpacked, { recursive: true, force: true });
  mkdirSync(unpacked, { recursive: true });
  const apt = privateApt(join(folder, 'apt', debian), debian);
  execFileSync('apt-get', [...apt, 'update', '-qq'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const depends = execFileSync('apt-cache', [...apt, 'depends', metapackage], { encoding: 'utf8' });
  const name = /Depends: (linux-image-\S+?)(?::\S+)?$/m.exec(depends)?.[1];
  if (name === undefined) throw new Error(`apt has no package ${metapackage}.`);
  execFileSync('apt-get', [...apt, 'download', '-q', name], { cwd: folder, stdio: 'ignore' });
  const [archive = ''] = globSync(join(folder, `${name}_*.deb`));
  execFileSync('dpkg-deb', ['-x', archive, unpacked]);
  rmSync(archive);
  const [modules = ''] = globSync(join(unpacked, 'lib/modules/*'));
  execFileSync('busybox', ['depmod', '-b', unpacked, basename(modules)]);
}

/** Returns the files of kernel modules and of their dependencies, dependencies first. */
function withDependencies(installed: string, names: readonly string[]): string[] {
  const lines = readFileSync(join(installed, 'modules.dep'), 'utf8').split('\n');
  return [
    ...new Set(
      names.flatMap(name => {
        const line = lines.find(one => one.split(':')[0]?.endsWith(`/${name}.ko`));
        const [file = '', needed = ''] = (line ?? '').split(':');
        if (file === '') throw new Error(`The kernel has no module ${name}.`);
        return [
          ...needed
            .split(' ')
            .filter(one => one !== '')
            .reverse(),
          file,
        ];
      }),
    ),
  ].map(file => join(installed, file));
}

/**
 * Creates an initial file system that loads the modules and continues with `init` on the first disk, which it
 * mounts with `options`. `busybox` is a static program of the architecture.
 */
export function makeInitialFiles(
  folder: string,
  { modules }: Kernel,
  busybox: string,
  init: string,
  options: string,
): string {
  const root = join(folder, 'initial');
  rmSync(root, { recursive: true, force: true });
  for (const name of ['bin', 'dev', 'disk']) mkdirSync(join(root, name), { recursive: true });
  copyFileSync(busybox, join(root, 'bin/busybox'));
  for (const file of modules) copyFileSync(file, join(root, basename(file)));
  const script = [
    '#!/bin/busybox sh',
    '/bin/busybox mount -t devtmpfs dev /dev',
    ...modules.map(file => `/bin/busybox insmod /${basename(file)}`),
    `/bin/busybox mount -t ext4 -o ${options} /dev/vda /disk`,
    `exec /bin/busybox switch_root /disk ${init}`,
    '',
  ];
  execFileSync('sh', ['-c', 'cat > init && chmod 755 init'], { cwd: root, input: script.join('\n') });
  const archive = join(folder, 'initial.cpio');
  execFileSync('sh', ['-c', 'find . | busybox cpio -o -H newc > "$0" 2> /dev/null', archive], { cwd: root });
  return archive;
}
