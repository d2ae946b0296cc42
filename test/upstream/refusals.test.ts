import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { MAX_ATTEMPTS } from '../../src/queue/limits.ts';
import { seededRandom } from '../harness/seeded-random.ts';
import type { UpstreamHarness } from '../harness/upstream.ts';
import { createUpstreamHarness, numbers } from '../harness/upstream.ts';
import type { Script, Server } from './server.ts';
import { friendly, startServer, welcome } from './server.ts';

const refusals = suite('upstream: what it refuses');

/** Sends `texts` to a server that does as the script says, until `delivered` of them are acknowledged. */
async function sent(
  script: Script,
  texts: readonly string[],
  delivered: number,
  version: 4 | 5 = 5,
): Promise<{
  readonly stage: UpstreamHarness;
  readonly server: Server;
  readonly finish: () => Promise<void>;
}> {
  const stage = await createUpstreamHarness();
  const server = await startServer(script, 0, version);
  const finish = async (): Promise<void> => {
    await stage.finish();
    await server.close();
  };
  stage.start({ url: `mqtt://127.0.0.1:${server.port}` });
  await stage.append(texts);
  const isThere = (): boolean => stage.forwarder().status().delivered === delivered;
  await stage.until(`${delivered} are acknowledged`, isThere, 20).catch(async thrown => {
    await finish();
    throw thrown;
  });
  return { stage, server, finish };
}

/** Answers the message `poison` with a reason code, and is friendly otherwise. */
function refusing(poison: string, reasonCode: number): Script {
  return (packet, guest, index) => {
    if (packet.cmd === 'publish' && packet.payload.toString() === poison)
      guest.send({
        cmd: packet.qos === 2 ? 'pubrec' : 'puback',
        messageId: packet.messageId ?? 0,
        reasonCode,
      });
    else friendly(packet, guest, index);
  };
}

/** Ends the connection that brings a message, and takes all others. */
function closingAt(poison: string): Script {
  return (packet, guest, index) => {
    if (packet.cmd === 'publish' && packet.payload.toString() === poison) guest.socket.end();
    else if (!guest.socket.writableEnded) friendly(packet, guest, index);
  };
}

refusals('one that is refused for good is a dead letter with the reason, and holds up nobody', async () => {
  for (const [reasonCode, reason] of [
    [0x87, 'the upstream refused the message: not authorized'],
    [0x90, 'the upstream refused the message: topic name not allowed'],
    [0x99, 'the upstream refused the message: payload format invalid'],
  ] as const) {
    const { stage, server, finish } = await sent(refusing('2', reasonCode), numbers(5), 4);
    assert.equal(server.bodies(), numbers(5));
    assert.equal(stage.letters(), [reason]);
    assert.is(stage.forwarder().status().lastRefusal, reason);
    await finish();
  }
});

refusals('a quota that is used up refuses nothing: it rests, and sends again', async () => {
  let full = true;
  const { stage, server, finish } = await sent(
    (packet, guest, index) => {
      if (packet.cmd !== 'publish' || !full) friendly(packet, guest, index);
      else guest.send({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: 0x97 });
      if (packet.cmd === 'publish' && packet.payload.toString() === '4') full = false;
    },
    numbers(5),
    5,
  );
  assert.equal(server.bodies(), [...numbers(5), ...numbers(5)]);
  assert.equal(stage.letters(), []);
  assert.is(server.guests.length, 1);
  await finish();
});

refusals('one that the upstream fails on again and again is given up', async () => {
  const { stage, server, finish } = await sent(refusing('0', 0x83), numbers(2), 1);
  await stage.until('it is given up', () => stage.letters().length === 1, 100);
  assert.match(stage.letters()[0] ?? '', /implementation specific error \(after 16 attempts\)/);
  assert.is(server.bodies().filter(body => body === '0').length, MAX_ATTEMPTS);
  await finish();
});

refusals(
  'a reason code that MQTT does not list for an answer is judged by its class, and ends no link',
  async () => {
    for (const [reasonCode, delivered, letters] of [
      [0x01, 3, 0],
      [0x7f, 3, 0],
      [0x95, 2, 1],
      [0xee, 2, 0],
    ] as const) {
      const { stage, server, finish } = await sent(refusing('1', reasonCode), numbers(3), delivered);
      assert.is(server.guests.length, 1, String(reasonCode));
      assert.is(stage.letters().length, letters, String(reasonCode));
      await finish();
    }
  },
);

refusals('what is larger than the upstream takes is not sent', async () => {
  const { stage, server, finish } = await sent(
    (packet, guest, index) => {
      if (packet.cmd === 'connect') welcome(guest, { maximumPacketSize: 200 });
      else friendly(packet, guest, index);
    },
    ['a', 'x'.repeat(200), 'b'],
    2,
  );
  assert.equal(server.bodies(), ['a', 'b']);
  assert.equal(stage.letters(), ['it is larger than the upstream server accepts']);
  await finish();
});

refusals('one that a connection is ended for is found and given up, those around it arrive', async () => {
  const endings: readonly (readonly [string, 4 | 5, Script])[] = [
    ['says that it is too large', 5, (_, guest) => guest.send({ cmd: 'disconnect', reasonCode: 0x95 })],
    ['says nothing', 4, (_, guest) => void guest.socket.end()],
  ];
  for (const [how, version, end] of endings) {
    const { stage, server, finish } = await sent(
      (packet, guest, index) => {
        const over = guest.packets.some(one => one.cmd === 'publish' && one.payload.toString() === '3');
        if (packet.cmd === 'connect') welcome(guest);
        else if (!over) friendly(packet, guest, index);
        else if (packet.cmd === 'publish' && packet.payload.toString() === '3') end(packet, guest, index);
      },
      numbers(6),
      5,
      version,
    );
    assert.match(
      stage.letters().join(),
      /^the upstream closes the connection when it receives the message/,
      how,
    );
    const first = [...new Set(server.bodies())];
    assert.equal(first, numbers(6), how);
    await finish();
  }
});

refusals('one that a connection is ended for is found in a minute or two if it holds up others', async () => {
  const { stage, server, finish } = await sent(closingAt('3'), numbers(6), 5, 4);
  assert.ok(stage.queue.clock.monotonic() < 120_000, String(stage.queue.clock.monotonic()));
  assert.is(stage.letters().length, 1);
  assert.ok(server.guests.length < 12, String(server.guests.length));
  await finish();
});

refusals('two in a row are both found, and nothing else goes with them', async () => {
  const texts = ['0', 'bad', 'bad', ...numbers(5)];
  const { stage, server, finish } = await sent(closingAt('bad'), texts, 6, 4);
  await stage.until('both are found', () => stage.letters().length === 2, 100);
  assert.equal([...new Set(server.bodies())], ['0', 'bad', '1', '2', '3', '4']);
  await finish();
});

refusals('an upstream that ends every connection that it gets a message on blames none for it', async () => {
  const { stage, finish } = await sent(
    (packet, guest, index) => {
      // A quarter of an hour, with the waits between them.
      if (index < 28 && packet.cmd === 'publish') guest.socket.end();
      else if (!guest.socket.writableEnded) friendly(packet, guest, index);
    },
    numbers(30),
    30,
    4,
  );
  assert.equal(stage.letters(), []);
  assert.ok(stage.queue.clock.monotonic() > 600_000);
  await finish();
});

refusals('two hubs of one name that drive each other away blame no message', async () => {
  const { stage, finish } = await sent(
    (packet, guest, index) => {
      if (index < 28 && packet.cmd === 'publish') guest.send({ cmd: 'disconnect', reasonCode: 0x8e });
      else if (index >= 28 || packet.cmd === 'connect') friendly(packet, guest, index);
    },
    ['0'],
    1,
  );
  assert.equal(stage.letters(), []);
  await finish();
});

refusals('a network that cuts half of the connections before an answer blames no message', async () => {
  const dice = seededRandom(8);
  const { stage, server, finish } = await sent(
    (packet, guest, index) => {
      if (guest.socket.destroyed) return;
      if (packet.cmd === 'publish' && dice.oneIn(2)) guest.socket.destroy();
      else friendly(packet, guest, index);
    },
    numbers(100),
    100,
    4,
  );
  assert.ok(server.guests.length > 50);
  assert.equal(stage.letters(), []);
  await finish();
});

refusals('an upstream that takes nothing at QoS 1 gets nothing', async () => {
  const stage = await createUpstreamHarness();
  const server = await startServer((packet, guest) => {
    if (packet.cmd === 'connect') welcome(guest, { maximumQoS: 0 });
  });
  stage.start({ url: `mqtt://127.0.0.1:${server.port}` });
  await stage.append(['x']);
  await stage.until('it says so', () => stage.forwarder().status().lastError !== undefined);
  assert.match(stage.forwarder().status().lastError ?? '', /supports QoS 0 only/);
  assert.equal(server.bodies(), []);
  await stage.finish();
  await server.close();
});

refusals.run();
