import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { generate } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_CONNECTIONS } from '../../src/core/limits.ts';
import { folderWith, freePort, removeFolder, startHub } from '../harness/binary.ts';

/** Sockets of either side that one process may open here. */
const FILES = Number(/Max open files\s+\d+\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);

/** Connects and sends CONNECT; resolves to the first byte of the answer, or `closed`. */
function enter(port: number, clientId: string, sockets: Socket[]): Promise<number | 'closed'> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    const clean = true;
    socket.write(
      generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId, clean, keepalive: 0 }),
    );
    socket.once('data', bytes => resolve(bytes[0] ?? 0));
    socket.once('close', () => resolve('closed'));
    socket.on('error', error =>
      'code' in error && error.code === 'ECONNRESET' ? resolve('closed') : reject(error),
    );
  });
}

const connections = suite('e2e: connections');

connections('beyond the limit they are closed, and there is room again when one ends', async () => {
  assert.ok(FILES > MAX_CONNECTIONS + 100, `this needs ${MAX_CONNECTIONS} open files: raise "ulimit -n"`);
  const port = await freePort();
  const manifest = JSON.stringify({ name: 'test', listeners: [{ mqtt: `127.0.0.1:${port}` }] });
  const folder = folderWith({ 'manifest.json': manifest });
  const hub = await startHub(folder, 'manifest.json', 'data');
  const sockets: Socket[] = [];
  try {
    for (let n = 0; n < MAX_CONNECTIONS; n++) assert.is(await enter(port, `c${n}`, sockets), 0x20);
    assert.is(await enter(port, 'beyond', sockets), 'closed');
    sockets[0]?.destroy();
    let answer = await enter(port, 'next', sockets);
    // The hub may not have seen yet that one is gone.
    for (let tries = 0; answer === 'closed' && tries < 100; tries++)
      answer = await enter(port, 'next', sockets);
    assert.is(answer, 0x20);
  } finally {
    for (const socket of sockets) socket.destroy();
    await hub.end('SIGTERM');
    removeFolder(folder);
  }
});

connections.run();
