import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Files of Debian's kernel for virtual machines. */
export type Kernel = {
  readonly image: string;
  /** Kernel modules to load before the disk is available, in order. */
  readonly modules: readonly string[];
};

/** Metapackage that depends on the newest kernel of this Debian. */
const PACKAGE = 'linux-image-cloud-amd64';
const DISK_MODULES = ['virtio_pci', 'virtio_blk'];

/** Downloads the kernel with apt into `folder` unless it is there. */
export function fetchKernel(folder: string): Kernel {
  const unpacked = join(folder, 'kernel');
  if (!existsSync(join(unpacked, 'boot'))) unpack(folder, unpacked);
  const [image = ''] = globSync(join(unpacked, 'boot/vmlinuz-*'));
  const [modules = ''] = globSync(join(unpacked, 'lib/modules/*'));
  return { image, modules: withDependencies(modules, DISK_MODULES) };
}

function unpack(folder: string, unpacked: string): void {
  rmSync(unpacked, { recursive: true, force: true });
  mkdirSync(unpacked, { recursive: true });
  const depends = execFileSync('apt-cache', ['depends', PACKAGE], { encoding: 'utf8' });
  const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
  if (name === undefined) throw new Error(`apt has no package ${PACKAGE}: run apt-get update.`);
  execFileSync('apt-get', ['download', '-q', name], { cwd: folder, stdio: ['ignore', 'ignore', 'ignore'] });
  const [archive = ''] = globSync(join(folder, `${name}_*.deb`));
  execFileSync('dpkg-deb', ['-x', archive, unpacked]);
  rmSync(archive);
  const [modules = ''] = globSync(join(unpacked, 'lib/modules/*'));
  execFileSync('busybox', ['depmod', '-b', unpacked, basename(modules)]);
}

/** Returns the files of kernel modules and of their dependencies, dependencies first. */
function withDependencies(modules: string, names: readonly string[]): string[] {
  const lines = readFileSync(join(modules, 'modules.dep'), 'utf8').split('\n');
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
  ].map(file => join(modules, file));
}

/** Creates an initial file system that loads the modules and switches to the disk. */
export function makeInitialFiles(folder: string, { modules }: Kernel, script: string): string {
  const root = join(folder, 'initial');
  rmSync(root, { recursive: true, force: true });
  for (const name of ['bin', 'dev', 'disk']) mkdirSync(join(root, name), { recursive: true });
  const busybox = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim();
  copyFileSync(busybox, join(root, 'bin/busybox'));
  for (const file of modules) copyFileSync(file, join(root, basename(file)));
  const load = modules.map(file => `/bin/busybox insmod /${basename(file)}\n`).join('');
  execFileSync('sh', ['-c', 'cat > init && chmod 755 init'], {
    cwd: root,
    input: script.replace('LOAD\n', load),
  });
  const archive = join(dirname(root), 'initial.cpio');
  execFileSync('sh', ['-c', 'find . | busybox cpio -o -H newc > "$0" 2> /dev/null', archive], { cwd: root });
  return archive;
}
