import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { generate } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_CONNECTIONS } from '../../src/core/limits.ts';
import { folderWith, freePort, removeFolder, startHub } from '../harness/binary.ts';

/** Maximum number of open files of this process. */
const FILES = Number(/Max open files\s+\d+\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);

/** Connects and sends CONNECT. Resolves to the return code of CONNACK or to `closed`. */
function connectClient(port: number, clientId: string, sockets: Socket[]): Promise<number | 'closed'> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    const clean = true;
    socket.write(
      generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId, clean, keepalive: 0 }),
    );
    socket.once('data', bytes => resolve(bytes[3] ?? 'closed'));
    socket.once('close', () => resolve('closed'));
    socket.on('error', error =>
      'code' in error && error.code === 'ECONNRESET' ? resolve('closed') : reject(error),
    );
  });
}

/** Return codes of CONNACK (MQTT 3.1.1, 3.2.2.3). */
const ACCEPTED = 0;
const UNAVAILABLE = 3;

const connections = suite('e2e: maximum number of connections');

connections(
  'a client above the maximum number of connections is refused until another client disconnects',
  async () => {
    assert.ok(FILES > MAX_CONNECTIONS + 100, `this needs ${MAX_CONNECTIONS} open files: raise "ulimit -n"`);
    const port = await freePort();
    const manifest = JSON.stringify({ name: 'test', listeners: [{ mqtt: `127.0.0.1:${port}` }] });
    const folder = folderWith({ 'manifest.json': manifest });
    const hub = await startHub(folder, 'manifest.json', 'data');
    const sockets: Socket[] = [];
    try {
      for (let n = 0; n < MAX_CONNECTIONS; n++)
        assert.is(await connectClient(port, `c${n}`, sockets), ACCEPTED);
      assert.is(await connectClient(port, 'beyond', sockets), UNAVAILABLE);
      sockets[0]?.destroy();
      let answer = await connectClient(port, 'next', sockets);
      // The hub may not have noticed yet that the client has left.
      for (let tries = 0; answer !== ACCEPTED && tries < 100; tries++)
        answer = await connectClient(port, 'next', sockets);
      assert.is(answer, ACCEPTED);
    } finally {
      for (const socket of sockets) socket.destroy();
      await hub.end('SIGTERM');
      removeFolder(folder);
    }
  },
);

connections.run();
