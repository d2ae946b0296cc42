import { execFileSync } from 'node:child_process';
import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT_MEBIBYTES = 700;
const DATA_MEBIBYTES = 400;
const BOOT_MEBIBYTES = 160;

/** Partitions of a card, each an image file. */
export type Card = {
  readonly root: string;
  readonly data: string;
  readonly boot: string;
  /** Copies files into the folder "skerry" of the boot partition. */
  readonly put: (files: Readonly<Record<string, string>>) => void;
  /** Returns the text of a file in that folder. Empty if the file does not exist. */
  readonly read: (name: string) => string;
  /** Names of the files in that folder. */
  readonly names: () => string[];
};

/** Makes a card with the root file system, an empty data partition and an empty boot partition (FAT). */
export function makeCard(folder: string, system: string): Card {
  const [root, data, boot] = ['root', 'data', 'boot'].map(name => join(folder, `${name}.img`)) as [
    string,
    string,
    string,
  ];
  for (const image of [root, data, boot]) rmSync(image, { force: true });
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', system, root, `${ROOT_MEBIBYTES}M`]);
  execFileSync('mke2fs', ['-q', '-t', 'ext4', data, `${DATA_MEBIBYTES}M`]);
  writeFileSync(boot, '');
  truncateSync(boot, BOOT_MEBIBYTES << 20);
  const tool = (program: string, ...args: readonly string[]): string =>
    execFileSync(program, ['-i', boot, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  tool('mformat', '-F', '::');
  tool('mmd', '::skerry');
  tool('mmd', '::skerry/trusted');
  return {
    root,
    data,
    boot,
    put: files => {
      for (const [name, path] of Object.entries(files)) tool('mcopy', '-o', path, `::skerry/${name}`);
    },
    read: name => {
      try {
        return tool('mtype', `::skerry/${name}`);
      } catch {
        return '';
      }
    },
    names: () => tool('mdir', '-b', '-/', '::skerry').trim().split(/\s+/),
  };
}
