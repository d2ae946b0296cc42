import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { skerry } from '../../harness/binary.ts';
import type { Role } from './roles.ts';
import { limitOpen, pauseOf } from './roles.ts';

/** Hostile requests to the control socket. */
const REQUESTS: readonly [string | Buffer, ...(string | Buffer)[]] = [
  randomBytes(5_000),
  '{',
  `${'['.repeat(30_000)}\n`,
  `{"command":"${'x'.repeat(60_000)}"}\n`,
  `${'{"command":"status"}\n'.repeat(200)}`,
  '{"command":"status"}',
  'x'.repeat(1 << 18),
  '\n'.repeat(1 << 16),
];

/** A local program that sends invalid requests to the control socket and often does not read the answers. */
export const hostileLocalUser: Role = async ({ data, dice, over }) => {
  const open = limitOpen(30);
  while (!over()) {
    const socket = connect(join(data, 'control.sock')).on('error', () => {});
    if (!dice.oneIn(3)) socket.resume();
    socket.write(dice.pick(REQUESTS));
    open.add(() => socket.destroy());
    await pauseOf(80);
  }
  open.end();
};

/** Hostile contents of a manifest file. */
const FILES: readonly [string | Buffer, ...(string | Buffer)[]] = [
  randomBytes(10_000),
  '['.repeat(100_000),
  `{"name":"x","modules":${'{"m":'.repeat(5_000)}1${'}'.repeat(5_000)}}`,
  '{"name":"hostile","routes":{"r":"FROM /* WHERE ((((("}}',
  `{"name":"${'x'.repeat(900_000)}"}`,
  '{"name":"hostile","name":"twice"}',
  '',
];

/** Invalid manifests and certificates in files that the hub reads. */
export const hostileFiles: Role = async ({ folder, data, dice, over }) => {
  const manifest = join(folder, 'hostile.json');
  const certificate = join(folder, 'server.pem');
  while (!over()) {
    writeFileSync(manifest, dice.pick(FILES));
    const child = spawn(skerry, ['apply', manifest, '--data', data], { stdio: 'ignore' });
    await once(child, 'exit');
    if (dice.oneIn(2)) writeFileSync(certificate, dice.oneIn(2) ? '' : randomBytes(2_000));
    else copyFileSync(join(import.meta.dirname, '../../certificates/server.pem'), certificate);
    await pauseOf(500);
  }
  copyFileSync(join(import.meta.dirname, '../../certificates/server.pem'), certificate);
};
