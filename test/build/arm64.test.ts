import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import mqtt from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, freePort, removeFolder, startHub, until } from '../harness/binary.ts';
import { runHub, skip } from '../harness/skip.ts';

const root = resolve(import.meta.dirname, '../..');

/** Emulator of arm64 programs. */
const QEMU = 'qemu-aarch64-static';
/** Folder of the arm64 libraries of Debian's cross packages. */
const LIBRARIES = '/usr/aarch64-linux-gnu';

const arm64 = suite('build: arm64 binary');

/** Reason why the test cannot run here. Undefined if it can. */
function skipReason(): string | undefined {
  if (process.arch === 'arm64') return 'this machine is arm64, so every other test ran that binary';
  if (spawnSync(QEMU, ['--version']).status !== 0) return `${QEMU} is not installed`;
  return existsSync(LIBRARIES) ? undefined : `${LIBRARIES} is not there: install libc6-arm64-cross`;
}

function build(): void {
  const args = [join(root, 'build.mjs'), '--arch', 'arm64'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.is(status, 0, stdout + stderr);
}

arm64('the arm64 binary under emulation forwards a line of a module to the parent hub', async () => {
  const reason = skipReason();
  if (reason !== undefined) return skip(reason);
  build();
  const port = await freePort();
  const folder = folderWith({
    'parent.json': JSON.stringify({ name: 'parent', listeners: [{ mqtt: `127.0.0.1:${port}` }] }),
    'edge.json': JSON.stringify({
      name: 'edge',
      modules: {
        sensor: { exec: ['sh', '-c', 'echo "{\\"celsius\\":70}"; exec sleep 60'], io: 'lines' },
        terminal: { exec: ['sh', '-c', 'tty; exec sleep 60'], tty: true },
      },
      routes: { hot: 'FROM /messages/modules/sensor/* WHERE $body.celsius > 60 INTO $upstream' },
      listeners: [{ mqtt: '127.0.0.1:0' }],
      upstream: { url: `mqtt://127.0.0.1:${port}` },
    }),
  });
  const parent = await startHub(folder, 'parent.json', 'parent');
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`);
  const arrived: string[] = [];
  client.on('message', (topic, body) => arrived.push(`${topic} ${body}`));
  await client.subscribeAsync('#', { qos: 1 });

  const log = join(folder, 'edge', 'logs', 'terminal.log');
  const named = () => existsSync(log) && / \/dev\/pts\/\d+$/m.test(readFileSync(log, 'utf8'));
  const binary = join(root, 'dist', 'skerry-linux-arm64');
  const command = [QEMU, binary, 'up', join(folder, 'edge.json'), '--data', join(folder, 'edge')];
  try {
    const { code, stderr } = await runHub(
      command,
      { ...process.env, QEMU_LD_PREFIX: LIBRARIES },
      async () => {
        await until('the message is at the parent', () => arrived.length > 0);
        await until('the module has printed its terminal', named);
      },
    );
    assert.is(code, 0, stderr);
    assert.equal(arrived, ['edge/sensor/out {"celsius":70}']);
  } finally {
    await client.endAsync();
    await parent.end('SIGTERM');
    removeFolder(folder);
  }
});

arm64.run();
