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
/** Half of the files, less the connections that modules alone may take. */
const ROOM = OPEN_FILES / 2 - 32;

/** A CONNECT of MQTT 3.1.1: a connection without one would give its place to the next. */
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

const capacity = suite('broker: how many may connect');

capacity('the bound, less what the hub needs of the files it may open', () => {
  for (const [files, clients] of [
    [Number.POSITIVE_INFINITY, MAX_CONNECTIONS],
    [1_048_576, MAX_CONNECTIONS],
    [4_096, 3_413],
    [400, ROOM],
    [100, 25],
  ] as const) {
    const capacity = capacityFor(files);
    assert.is(capacity.clients, clients);
    assert.ok(capacity.all >= clients + Math.min(32, clients));
  }
});

capacity(
  'a client too many over all listeners is refused, which is logged, and there is room again when one ends',
  async () => {
    const [first, second] = [await freePort(), await freePort()];
    const listeners = [{ mqtt: `127.0.0.1:${first}` }, { mqtt: `127.0.0.1:${second}` }];
    const folder = folderWith({ 'm.json': JSON.stringify({ name: 'full', listeners }) });
    const up = `ulimit -n ${OPEN_FILES} && exec "$0" up "$1" --data "$2"`;
    const command = ['/bin/sh', '-c', up, skerry, join(folder, 'm.json'), join(folder, 'data')];
    const { said } = await runHub(command, {}, async () => {
      const sockets: Socket[] = [];
      for (let n = 0; n < ROOM; n++) {
        const socket = connect(n % 2 === 0 ? first : second, '127.0.0.1');
        sockets.push(socket);
        socket.write(connectOf(n));
        await new Promise(resolve => socket.once('data', resolve));
      }
      const refused = connect(second, '127.0.0.1');
      refused.write(connectOf(ROOM));
      await ended(refused);
      sockets[0]?.destroy();
      let entered = '';
      const retry = async (): Promise<void> => {
        while (entered !== 'in') entered = await outcome(`mqtt://127.0.0.1:${second}`);
      };
      await Promise.race([retry(), until('there is room again', () => entered === 'in')]);
      for (const socket of sockets) socket.destroy();
    });
    assert.match(said, new RegExp(`open ${OPEN_FILES} files, so at most ${ROOM} clients may be connected`));
    assert.match(said, new RegExp(`Refused a connection: ${ROOM} of ${ROOM} connections are in use`));
    removeFolder(folder);
  },
);

capacity.run();
