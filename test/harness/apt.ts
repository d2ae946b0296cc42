import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Options for an apt of the architecture with Debian's name `debian`. Its state is in `folder`, so the apt of
 * this machine stays as it is.
 */
export function privateApt(folder: string, debian: string): string[] {
  for (const name of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(folder, name), { recursive: true });
  return aptOptions({
    'APT::Architecture': debian,
    'APT::Architectures': debian,
    'APT::Sandbox::User': 'root',
    'Dir::State::Lists': join(folder, 'lists'),
    'Dir::State::Status': '/dev/null',
    'Dir::Cache': join(folder, 'cache'),
  });
}

/** Returns settings as arguments of apt. */
export function aptOptions(settings: Readonly<Record<string, string>>): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}
