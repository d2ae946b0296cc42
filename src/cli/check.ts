import { existsSync, statfsSync } from 'node:fs';
import { Failure, reasonOf } from '../core/errors.ts';
import { DISK_RESERVE } from '../core/limits.ts';
import type { ModuleStatus } from '../supervisor/spec.ts';
import { argumentsOf } from './arguments.ts';
import { ask } from './control.ts';
import { dataFolder } from './data-folder.ts';
import { print } from './edge.ts';
import { CHECK } from './reference/hub.ts';
import { troublesOf } from './store-trouble.ts';
import { bytes } from './table.ts';

type Finding = { readonly subject: string; readonly good: boolean; readonly text: string };

/** Looks the disk, the hub and its store over. Exit code 1 if something is wrong. */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = argumentsOf(CHECK, args);
  const folder = dataFolder(values.data);
  const findings = [...checkDisk(folder), ...(await checkHub(folder))];
  if (values.json) print(JSON.stringify(findings, null, 2));
  else
    for (const { subject, good, text } of findings)
      print(`${good ? 'ok     ' : 'PROBLEM'}  ${subject}: ${text}`);
  return findings.every(({ good }) => good) ? 0 : 1;
}

function checkDisk(folder: string): Finding[] {
  if (!existsSync(folder)) return [{ subject: 'disk', good: true, text: `${folder} is not there yet` }];
  try {
    const { bavail, bsize } = statfsSync(folder);
    const free = bavail * bsize;
    const text = `${bytes(free)} free for ${folder}`;
    return [{ subject: 'disk', good: free >= DISK_RESERVE, text }];
  } catch (thrown) {
    return [{ subject: 'disk', good: false, text: `${folder} cannot be looked at: ${reasonOf(thrown)}` }];
  }
}

/** What of a module's manifest does not hold on this machine. */
function lacksOf({ name, notEnforced }: ModuleStatus): Finding[] {
  return notEnforced.map(lack => ({
    subject: `module "${name}"`,
    good: false,
    text: `not enforced: ${lack}`,
  }));
}

async function checkHub(folder: string): Promise<Finding[]> {
  try {
    const { name, pid, store, modules } = await ask(folder, 'status');
    const troubles = troublesOf(store).map(text => ({ subject: 'store', good: false, text }));
    const used = `${bytes(store.used)} of ${bytes(store.maxSize)} in use, ${store.letters} dead letters`;
    return [
      { subject: 'hub', good: true, text: `"${name}" runs with pid ${pid}` },
      { subject: 'store', good: troubles.length === 0, text: used },
      ...troubles,
      ...modules.flatMap(lacksOf),
    ];
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    return [{ subject: 'hub', good: false, text: thrown.message }];
  }
}
