import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { generate } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { capacityFor } from '../../../src/broker/listeners/capacity.ts';
import { MAX_CONNECTIONS } from '../../../src/core/limits.ts';
import { folderWith, freePort, removeFolder, skerry, until } from '../../harness/binary.ts';
import { ended, outcome } from '../../harness/clients/listeners.ts';
import { runHub } from '../../harness/skip.ts';

const OPEN_FILES = 400;
/** Maximum clients: half of the open files, less the connections that are reserved for modules. */
const MAX_CLIENTS = OPEN_FILES / 2 - 32;

/** Returns a CONNECT of MQTT 3.1.1. A connection without CONNECT would be closed for the next one. */
function connectOf(number: number): Buffer {
  return generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: `c${number}`,
    clean: true,
    keepalive: 0,
  });
}

const capacity = suite('broker: connection capacity');

capacity(
  'the maximum number of clients is derived from the number of files that the system lets the hub open',
  () => {
    for (const [files, clients] of [
      [Number.POSITIVE_INFINITY, MAX_CONNECTIONS],
      [1_048_576, MAX_CONNECTIONS],
      [4_096, 3_413],
      [400, MAX_CLIENTS],
      [100, 25],
    ] as const) {
      const capacity = capacityFor(files);
      assert.is(capacity.clients, clients);
      assert.ok(capacity.all >= clients + Math.min(32, clients));
    }
  },
);

capacity(
  'a client beyond the capacity of all listeners is refused until another client disconnects',
  async () => {
    const [first, second] = [await freePort(), await freePort()];
    const listeners = [{ mqtt: `127.0.0.1:${first}` }, { mqtt: `127.0.0.1:${second}` }];
    const folder = folderWith({ 'm.json': JSON.stringify({ name: 'full', listeners }) });
    const up = `ulimit -n ${OPEN_FILES} && exec "$0" up "$1" --data "$2"`;
    const command = ['/bin/sh', '-c', up, skerry, join(folder, 'm.json'), join(folder, 'data')];
    const { stderr } = await runHub(command, {}, async () => {
      const sockets: Socket[] = [];
      for (let n = 0; n < MAX_CLIENTS; n++) {
        const socket = connect(n % 2 === 0 ? first : second, '127.0.0.1');
        sockets.push(socket);
        socket.write(connectOf(n));
        await new Promise(resolve => socket.once('data', resolve));
      }
      const refused = connect(second, '127.0.0.1');
      refused.write(connectOf(MAX_CLIENTS));
      await ended(refused);
      sockets[0]?.destroy();
      let entered = '';
      const retry = async (): Promise<void> => {
        while (entered !== 'in') entered = await outcome(`mqtt://127.0.0.1:${second}`);
      };
      await Promise.race([retry(), until('a client can connect', () => entered === 'in')]);
      for (const socket of sockets) socket.destroy();
    });
    assert.match(
      stderr,
      new RegExp(`${OPEN_FILES} open files, so at most ${MAX_CLIENTS} clients can connect`),
    );
    assert.match(
      stderr,
      new RegExp(`Refused a connection: ${MAX_CLIENTS} of ${MAX_CLIENTS} connections are in use`),
    );
    removeFolder(folder);
  },
);

capacity.run();
