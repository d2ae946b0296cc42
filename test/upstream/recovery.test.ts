import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createUpstreamHarness, numbers } from '../harness/upstream.ts';
import { acceptAll, startServer } from './server.ts';

const recovery = suite('upstream: recovery of a server');

for (const exactlyOnce of [false, true]) {
  recovery(
    `a server that has closed every connection receives all messages after its recovery (exactlyOnce ${exactlyOnce})`,
    async () => {
      for (const bad of [9, 11, 13]) {
        const harness = await createUpstreamHarness();
        let links = 0;
        const server = await startServer((packet, connection, index) => {
          if (packet.cmd === 'connect') links++;
          if (packet.cmd === 'publish' && links <= bad) connection.socket.end();
          else if (!connection.socket.writableEnded) acceptAll(packet, connection, index);
        });
        harness.start({ url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce });
        await harness.append(numbers(20));
        await harness.until('it is well again', () => links > bad, 1000);
        await harness.until('all are taken', () => harness.forwarder().status().delivered === 20, 5);
        assert.equal(harness.deadLetterReasons(), []);
        await harness.finish();
        await server.close();
      }
    },
  );
}

recovery(
  'a message that the server refuses with 0x97 while the window is full is sent again before newer messages',
  async () => {
    const harness = await createUpstreamHarness();
    const waiting: (() => void)[] = [];
    let isFirst = true;
    const server = await startServer((packet, connection, index) => {
      if (packet.cmd === 'publish' && isFirst) {
        isFirst = false;
        connection.send({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: 0x97 });
      } else if (packet.cmd === 'publish' && waiting.length < 63)
        waiting.push(() => acceptAll(packet, connection, index));
      else acceptAll(packet, connection, index);
    });
    harness.start({ url: `mqtt://127.0.0.1:${server.port}`, window: 64 });
    await harness.append(numbers(200));
    await harness.until('the window is out', () => waiting.length === 63);
    const from = harness.queue.clock.monotonic();
    await harness.until('the rest is over', () => harness.queue.clock.monotonic() - from > 10_000, 20);
    for (const answer of waiting) answer();
    await harness.until('all are taken', () => harness.forwarder().status().delivered === 200, 5);
    assert.is(server.bodies()[64], '0');
    await harness.finish();
    await server.close();
  },
);

recovery.run();
