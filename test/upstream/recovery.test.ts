import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createUpstreamHarness, numbers } from '../harness/upstream.ts';
import { friendly, startServer } from './server.ts';

const recovery = suite('upstream: recovery');

for (const exactlyOnce of [false, true]) {
  recovery(`one that ended all links, and takes all then, gets all; once: ${exactlyOnce}`, async () => {
    for (const bad of [9, 11, 13]) {
      const stage = await createUpstreamHarness();
      let links = 0;
      const server = await startServer((packet, guest, index) => {
        if (packet.cmd === 'connect') links++;
        if (packet.cmd === 'publish' && links <= bad) guest.socket.end();
        else if (!guest.socket.writableEnded) friendly(packet, guest, index);
      });
      stage.start({ url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce });
      await stage.append(numbers(20));
      await stage.until('it is well again', () => links > bad, 1000);
      await stage.until('all are taken', () => stage.forwarder().status().delivered === 20, 5);
      assert.equal(stage.letters(), []);
      await stage.finish();
      await server.close();
    }
  });
}

recovery('one refused for now while most of a full window is unanswered goes again first', async () => {
  const stage = await createUpstreamHarness();
  const waiting: (() => void)[] = [];
  let isFirst = true;
  const server = await startServer((packet, guest, index) => {
    if (packet.cmd === 'publish' && isFirst) {
      isFirst = false;
      guest.send({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: 0x97 });
    } else if (packet.cmd === 'publish' && waiting.length < 63)
      waiting.push(() => friendly(packet, guest, index));
    else friendly(packet, guest, index);
  });
  stage.start({ url: `mqtt://127.0.0.1:${server.port}`, window: 64 });
  await stage.append(numbers(200));
  await stage.until('the window is out', () => waiting.length === 63);
  const from = stage.queue.clock.monotonic();
  await stage.until('the rest is over', () => stage.queue.clock.monotonic() - from > 10_000, 20);
  for (const answer of waiting) answer();
  await stage.until('all are taken', () => stage.forwarder().status().delivered === 200, 5);
  assert.is(server.bodies()[64], '0');
  await stage.finish();
  await server.close();
});

recovery.run();
