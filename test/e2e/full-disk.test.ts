import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, connectAsync } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort, skerry, startHub, until } from '../harness/binary.ts';
import { fillDisk, onErrorProneDisk, onTmpfs } from '../harness/disks.ts';
import { runHub } from '../harness/skip.ts';

/** Megabytes of a disk for a data folder with a store, its ballast and its journals. */
const DISK_MB = 24;

const disk = suite('e2e: full and read-only disks');

/** Writes a manifest with one listener and one idle module. Returns the URL of the listener. */
async function writeManifest(folder: string): Promise<string> {
  const address = `127.0.0.1:${await freePort()}`;
  const modules = { idle: { exec: ['sleep', '1000'] } };
  writeFileSync(
    join(folder, 'm.json'),
    JSON.stringify({ name: 'full', listeners: [{ mqtt: address }], modules }),
  );
  return `mqtt://${address}`;
}

const SESSION = {
  protocolVersion: 5,
  clientId: 'reader',
  clean: false,
  properties: { sessionExpiryInterval: 3600 },
  reconnectPeriod: 0,
} as const;

/** Publishes at QoS 1. Returns the reason code of a refusal, 0 if the message was accepted. */
async function publish(url: string, text: string): Promise<number> {
  const client = await connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0 });
  try {
    await client.publishAsync('q/a', text, { qos: 1 });
    return 0;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'number') return thrown.code;
    throw thrown;
  } finally {
    await client.endAsync(true);
  }
}

disk('a hub that starts on a full disk after a crash delivers stored messages and refuses new messages', () =>
  onTmpfs(DISK_MB, async folder => {
    const url = await writeManifest(folder);
    const first = await startHub(folder, 'm.json', 'data');
    const reader = await connectAsync(url, SESSION);
    await reader.subscribeAsync('q/#', { qos: 1 });
    await reader.endAsync(true);
    assert.is(await publish(url, 'kept'), 0);
    await first.end('SIGKILL');
    fillDisk(join(folder, 'others'));

    const second = await startHub(folder, 'm.json', 'data');
    await until('the module runs', () => /Module "idle" started/.test(second.log()));
    assert.is(await publish(url, 'refused'), 0x97);
    const received: string[] = [];
    const again = connect(url, SESSION);
    again.on('message', (_, body) => received.push(body.toString()));
    await until('the stored message is delivered', () => received.length > 0);
    assert.equal(received, ['kept']);
    await again.endAsync(true);
    rmSync(join(folder, 'others'));
    let code = 0x97;
    for (const end = performance.now() + 20_000; code !== 0 && performance.now() < end; )
      code = await publish(url, 'late');
    assert.is(code, 0);
    assert.is(await second.end('SIGTERM'), 0, second.log());
    assert.not.match(second.log(), /is damaged/);
  }),
);

disk('a hub without a store on a full disk exits with 1 and one sentence that names the cure', () =>
  onTmpfs(1, async folder => {
    await writeManifest(folder);
    fillDisk(join(folder, 'others'));
    const { code, stderr } = await runHub(
      [skerry, 'up', join(folder, 'm.json'), '--data', join(folder, 'data')],
      {},
    );
    assert.is(code, 1);
    assert.match(
      stderr,
      /^skerry: .* \((ENOSPC|No space left on device).*free space on its disk, or name another( data folder)? with --data DIR\.$/m,
    );
  }),
);

disk('a hub on a disk that becomes read-only refuses messages and exits with 0 on SIGTERM', () =>
  onErrorProneDisk(async (folder, turnReadOnly) => {
    const url = await writeManifest(folder);
    const hub = await startHub(folder, 'm.json', 'data');
    const reader = await connectAsync(url, SESSION);
    await reader.subscribeAsync('q/#', { qos: 1 });
    await reader.endAsync(true);
    assert.is(await publish(url, 'kept'), 0);
    turnReadOnly();
    assert.ok((await publish(url, 'refused')) >= 0x80);
    assert.is(await hub.end('SIGTERM'), 0, hub.log());
    assert.not.match(hub.log(), /Write error|buffer sizes/);
  }),
);

disk.run();
