import { closeSync, fstatSync, openSync, readdirSync, readSync, watch } from 'node:fs';
import { join } from 'node:path';
import { Failure, systemCode } from '../core/errors.ts';
import { print } from './edge.ts';
import { dataFolder, flagsOf, usageFailure } from './flags.ts';

export const usage = 'skerry logs [-f] [module] [--data DIR]';

/** Bytes of the end of a log that are shown before following it. */
const TAIL_BYTES = 1 << 14;
const SUFFIX = '.log';

/** Prints the end of the modules' logs, and with -f what is added, until it is interrupted. */
export async function run(args: readonly string[]): Promise<number> {
  const options = { follow: { type: 'boolean', short: 'f' }, data: { type: 'string' } } as const;
  const { values, positionals } = flagsOf(args, options, usage);
  const [module, ...more] = positionals;
  if (more.length > 0) throw usageFailure('Name one module, or none for all', usage);
  const folder = join(dataFolder(values.data), 'logs');
  const tails = new Map<string, Tail>();
  const show = (name: string): void => {
    if (module !== undefined && name !== module) return;
    const known = tails.get(name);
    tails.set(name, printNew(join(folder, name + SUFFIX), name, module === undefined, known));
  };
  const names = modulesLogged(folder);
  if (module !== undefined && !names.includes(module) && !values.follow) {
    throw new Failure('module.unknown', `There is no log of a module "${module}" in ${folder}.`);
  }
  for (const name of names) show(name);
  if (!values.follow) return 0;
  return new Promise(() => {
    watch(folder, (_event, file) => {
      if (file?.endsWith(SUFFIX)) show(file.slice(0, -SUFFIX.length));
    });
  });
}

function modulesLogged(folder: string): string[] {
  try {
    const files = readdirSync(folder).filter(file => file.endsWith(SUFFIX));
    return files.map(file => file.slice(0, -SUFFIX.length)).sort();
  } catch (thrown) {
    if (systemCode(thrown) !== 'ENOENT') throw thrown;
    throw new Failure(
      'hub.unreachable',
      `There are no logs in ${folder}: name the hub's folder with --data DIR.`,
    );
  }
}

/** How far a log was printed: its file, by inode, and the bytes of it. */
type Tail = { readonly inode: number; readonly position: number };

/** Prints the whole lines of a log behind `known`; a file that was rotated away is begun anew. */
function printNew(path: string, name: string, named: boolean, known: Tail | undefined): Tail {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (thrown) {
    // Between two files of a rotation there is none for a moment.
    if (systemCode(thrown) === 'ENOENT') return { inode: 0, position: 0 };
    throw thrown;
  }
  try {
    const { ino: inode, size } = fstatSync(file);
    const start = startOf(inode, size, known);
    const bytes = Buffer.alloc(Math.max(0, size - start));
    const count = readSync(file, bytes, 0, bytes.length, start);
    const end = bytes.subarray(0, count).lastIndexOf('\n') + 1;
    const lines = bytes.toString('utf8', 0, end).split('\n').slice(0, -1);
    // The end of a log begins in the middle of a line.
    const whole = known === undefined && start > 0 ? lines.slice(1) : lines;
    for (const line of whole) print(named ? `${name} | ${line}` : line);
    return { inode, position: start + end };
  } finally {
    closeSync(file);
  }
}

function startOf(inode: number, size: number, known: Tail | undefined): number {
  if (known === undefined) return Math.max(0, size - TAIL_BYTES);
  return known.inode === inode && known.position <= size ? known.position : 0;
}
