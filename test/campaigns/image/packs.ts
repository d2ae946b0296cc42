import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { systemRandom } from '../../../src/cli/system.ts';
import { hashPassword } from '../../../src/crypto/passwords.ts';
import { skerry } from '../../harness/binary.ts';

const greenhouse = resolve(import.meta.dirname, '../../../examples/greenhouse');

/** User that publishes and receives from outside the machine. */
export const USER = { name: 'load', password: 'greenhouse' };

/** Packs for the device, signed by a key of their own. */
export type Packs = {
  /** Path of the public key. */
  readonly key: string;
  /** Makes a pack of the greenhouse example with this serial and these further fields. Returns its path. */
  readonly make: (serial: number, more?: object) => string;
};

export async function createPacks(folder: string): Promise<Packs> {
  const run = (...args: readonly string[]): void => void execFileSync(skerry, args, { cwd: folder });
  run('keygen', '--out', 'factory');
  execFileSync('tar', [
    '-cf',
    join(folder, 'greenhouse.tar'),
    '-C',
    greenhouse,
    'host-metrics.sh',
    'watch.sh',
  ]);
  const example: { modules: Record<string, object>; routes: Record<string, unknown> } = JSON.parse(
    readFileSync(join(greenhouse, 'manifest.json'), 'utf8'),
  );
  const modules = Object.fromEntries(
    Object.entries(example.modules).map(([name, module]) => [
      name,
      { ...module, bundle: { from: 'greenhouse.tar' } },
    ]),
  );
  const { calm, busy } = example.routes;
  const password = await hashPassword(Buffer.from(USER.password), systemRandom);
  const manifest = {
    name: 'greenhouse',
    for: ['greenhouse*'],
    modules,
    routes: { calm, busy },
    listeners: [{ mqtt: '0.0.0.0:1883' }],
    users: { [USER.name]: { password, publish: ['#'], subscribe: ['#'] } },
    deployment: { healthyFor: '5s', within: '3m' },
  };
  return {
    key: join(folder, 'factory.pub'),
    make: (serial, more = {}) => {
      writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, serial, ...more }));
      run('pack', 'manifest.json', '--key', 'factory.key', '-o', `${serial}.skerry`, '--force');
      return join(folder, `${serial}.skerry`);
    },
  };
}
