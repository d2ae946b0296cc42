import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createIncompletePackets } from '../../../src/broker/inbound/incomplete-packets.ts';
import { PLAIN_ARRIVAL_BYTES } from '../../../src/broker/limits.ts';
import { createGate } from '../../../src/broker/listeners/gate.ts';
import { budgetOf } from '../../../src/core/capacity/memory-budget.ts';
import { createGauge } from '../../../src/core/capacity/pressure.ts';
import { logFor } from '../../../src/core/log.ts';
import { createSocketMemory } from '../../../src/core/net/socket-memory.ts';
import { withBroker } from '../../harness/broker.ts';
import { createTestClock } from '../../harness/clock.ts';

const memory = suite('broker: memory');

memory('the memory limits derived from a budget of 64 MB add up to less than half of the budget', () => {
  const parts = Object.values(budgetOf(64 << 20));
  assert.ok(parts.reduce((one, other) => one + other, 0) < 32 << 20);
  assert.ok(parts.every(part => part >= 1 << 20));
});

memory(
  'a memory gauge that falls to half of its limit calls the waiting callbacks until the limit is reached again',
  () => {
    const gauge = createGauge(100);
    const woken: string[] = [];
    gauge.set(99);
    assert.not(gauge.high());
    gauge.set(100);
    gauge.whenLow(() => woken.push('first'));
    gauge.whenLow(() => {
      woken.push('second');
      gauge.set(100);
    });
    gauge.whenLow(() => woken.push('third'));
    gauge.set(51);
    assert.equal(woken, []);
    gauge.set(50);
    assert.equal(woken, ['first', 'second']);
    gauge.set(0);
    assert.equal(woken, ['first', 'second', 'third']);
  },
);

memory(
  'the connection with the oldest incomplete packet is closed if incomplete packets together exceed their memory limit',
  () => {
    const incompletePackets = createIncompletePackets(100_000);
    const closed: string[] = [];
    const holder = (name: string) => ({ closeForMemory: () => void closed.push(name) });
    const [one, two, three] = [holder('one'), holder('two'), holder('three')];
    incompletePackets.set(one, 50_000);
    incompletePackets.set(two, 40_000);
    incompletePackets.set(one, 60_000);
    incompletePackets.set(three, 4_000);
    assert.equal(closed, []);
    incompletePackets.set(three, 40_000);
    assert.equal(closed, ['one']);
    incompletePackets.set(two, 0);
    assert.is(incompletePackets.bytes(), 40_000);
  },
);

memory('sockets with unsent bytes share the output memory, and each socket has a guaranteed minimum', () => {
  const sockets = createSocketMemory(4 << 20);
  assert.is(sockets.limit(), 1 << 20);
  for (let n = 0; n < 8; n++) sockets.changed(0, 1 << 19);
  assert.is(sockets.limit(), 1 << 18);
  for (let n = 0; n < 1000; n++) sockets.changed(0, 1 << 10);
  assert.is(sockets.limit(), 1 << 14);
  for (let n = 0; n < 8; n++) sockets.changed(1 << 19, 0);
  assert.is(sockets.limit(), 1 << 20);
});

memory(
  'if connections without CONNECT exceed their memory limit, the oldest one of the busiest address is closed',
  async () => {
    const closed: number[] = [];
    const gate = createGate({
      clock: createTestClock(),
      log: logFor('broker', () => {}),
      capacity: () => 100,
      bytes: 3 * PLAIN_ARRIVAL_BYTES,
    });
    const server = createServer(socket => void gate.admit(socket, PLAIN_ARRIVAL_BYTES)).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const sockets = [];
    for (let n = 0; n < 5; n++) {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      socket.once('close', () => closed.push(n));
      await once(socket, 'connect');
      sockets.push(socket.resume());
    }
    while (closed.length < 2) await new Promise(resolve => setImmediate(resolve));
    assert.equal(closed.toSorted(), [0, 1]);
    assert.is(gate.arriving(), 3);
    for (const socket of sockets) socket.destroy();
    server.close();
  },
);

memory(
  'a new connection at full capacity replaces a connection without CONNECT, never a connected client',
  async () => {
    const gate = createGate({
      clock: createTestClock(),
      log: logFor('broker', () => {}),
      capacity: () => 2,
      bytes: 1 << 20,
    });
    const admitted: boolean[] = [];
    const server = createServer(socket => {
      const arrival = gate.admit(socket, PLAIN_ARRIVAL_BYTES);
      admitted.push(arrival !== undefined);
      // The first and the third connection are clients, the second sends nothing.
      if (admitted.length !== 2) arrival?.connectReceived();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const sockets = [];
    for (let n = 0; n < 4; n++) {
      const socket = connect(port, '127.0.0.1').on('error', () => {});
      await once(socket, 'connect');
      sockets.push(socket.resume());
      while (admitted.length <= n) await new Promise(resolve => setImmediate(resolve));
    }
    assert.equal(admitted, [true, true, true, false]);
    assert.is(gate.open(), 2);
    for (const socket of sockets) socket.destroy();
    server.close();
  },
);

memory('the status reports the memory budget, the origin of the budget and the memory in use', () =>
  withBroker(async broker => {
    const { memory: status } = broker.hub().status();
    assert.ok(status.totalBytes > 0 && status.anonymousBytes > 0);
    assert.ok(['control group', 'machine'].includes(status.source));
    assert.equal(status.budgetBytes, budgetOf(status.totalBytes));
  }),
);

memory.run();
