import { once } from 'node:events';
import { createServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createGate } from '../../../src/broker/listeners/gate.ts';
import { listen } from '../../../src/broker/listeners/listen.ts';
import type { OpenListener } from '../../../src/broker/listeners/settings.ts';
import { Failure } from '../../../src/core/errors.ts';
import { logFor } from '../../../src/core/log.ts';
import { freePort, until } from '../../harness/binary.ts';
import { createTestClock } from '../../harness/clock.ts';

const ports = suite('broker: ports in use');

/** Opens a listener on a port that another socket occupies. */
async function listenOnOccupiedPort() {
  const port = await freePort();
  const holder = createServer().listen(port, '127.0.0.1');
  await once(holder, 'listening');
  const clock = createTestClock();
  const log = logFor('broker', () => {});
  const gate = createGate({ clock, log, capacity: () => 10, bytes: 1 << 20 });
  const opening = listen({ kind: 'mqtt', host: '127.0.0.1', port }, () => {}, { clock, log, gate });
  return { port, holder, clock, opening };
}

ports('a listener whose port is in use opens if the port becomes free during the retries', async () => {
  const { port, holder, clock, opening } = await listenOnOccupiedPort();
  await until('the listener retries', () => clock.pending() > 0);
  holder.close();
  await once(holder, 'close');
  const listener: OpenListener = await clock.until(opening);
  assert.is(listener.address, `127.0.0.1:${port}`);
  await listener.close();
});

ports('a listener whose port stays in use fails with the error code listener.in-use', async () => {
  const { holder, clock, opening } = await listenOnOccupiedPort();
  const code = await clock.until(
    opening.then(
      () => 'listening',
      (thrown: unknown) => (thrown instanceof Failure ? thrown.code : thrown),
    ),
  );
  assert.is(code, 'listener.in-use');
  assert.is(clock.pending(), 0);
  holder.close();
});

ports.run();
