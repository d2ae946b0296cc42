import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { UpstreamHarness } from '../../harness/upstream.ts';
import { createUpstreamHarness, numbers } from '../../harness/upstream.ts';
import type { Guest, Script } from '../server.ts';
import { friendly, startServer, welcome } from '../server.ts';

const offering = suite('upstream: servers that do not offer exactly once');

/** Publications on a connection: bodies with their QoS. */
function published(guest: Guest | undefined): [string, number][] {
  return (guest?.packets ?? []).flatMap((packet): [string, number][] =>
    packet.cmd === 'publish' ? [[packet.payload.toString(), packet.qos]] : [],
  );
}

function warnings({ log }: UpstreamHarness): number {
  return log.filter(line => line.includes('does not support QoS 2')).length;
}

/** A server that knows its sessions, and does as the script says with what is published. */
function keeping(answer: Script): Script {
  return (packet, guest, index) => {
    if (packet.cmd === 'connect') welcome(guest, {}, packet.clean !== true);
    else if (!guest.socket.destroyed) answer(packet, guest, index);
  };
}

/** Takes a QoS 2 message for one of QoS 1, as RabbitMQ does. */
const lowering: Script = (packet, guest, index) => {
  if (packet.cmd === 'publish') guest.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
  else if (packet.cmd !== 'pubrel') friendly(packet, guest, index);
};

/** Ends the connection for anything of QoS 2, as NATS does. */
function ending(end: (guest: Guest) => void): Script {
  return (packet, guest, index) => {
    if ((packet.cmd === 'publish' && packet.qos === 2) || packet.cmd === 'pubrel') end(guest);
    else friendly(packet, guest, index);
  };
}

async function delivered(stage: UpstreamHarness, count: number): Promise<void> {
  await stage.until(`${count} are delivered`, () => stage.forwarder().status().delivered === count, 20);
}

offering('one that answers PUBACK to QoS 2 has taken the message, and gets the rest at QoS 1', async () => {
  const stage = await createUpstreamHarness();
  const server = await startServer(keeping(lowering));
  stage.start({ url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true });
  await stage.append(numbers(20));
  await delivered(stage, 20);
  assert.equal(
    published(server.guests[1]),
    numbers(20).map((text, index) => [text, index === 0 ? 2 : 1]),
  );
  server.guests[1]?.socket.destroy();
  await stage.append(['20']);
  await delivered(stage, 21);
  assert.equal(published(server.guests[2]), [['20', 1]]);
  assert.is(warnings(stage), 1);
  await stage.finish();
  await server.close();
});

offering('one that ends the link for QoS 2, however, gets all at QoS 1, and nobody is blamed', async () => {
  const endings: readonly (readonly [string, 4 | 5, number, (guest: Guest) => void])[] = [
    ['without a word', 4, 3, guest => void guest.socket.end()],
    ['cutting it off', 4, 3, guest => void guest.socket.resetAndDestroy()],
    ['without a reason', 5, 3, guest => guest.send({ cmd: 'disconnect', reasonCode: 0x80 })],
    ['for a breach of the protocol', 5, 1, guest => guest.send({ cmd: 'disconnect', reasonCode: 0x82 })],
    ['as not offered', 5, 1, guest => guest.send({ cmd: 'disconnect', reasonCode: 0x9b })],
  ];
  for (const [how, version, links, end] of endings) {
    const stage = await createUpstreamHarness();
    const server = await startServer(keeping(ending(end)), 0, version);
    stage.start({ url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true });
    await stage.append(numbers(5));
    await delivered(stage, 5);
    const sent = server.guests.map(published).filter(({ length }) => length > 0);
    const first = Array.from({ length: links }, () => [['0', 2]]);
    assert.equal(sent, [...first, numbers(5).map(text => [text, 1])], how);
    assert.equal(stage.letters(), [], how);
    assert.is(warnings(stage), 1, how);
    await stage.finish();
    await server.close();
  }
});

offering('after a restart one ended link is enough, and one that offers it by then is believed', async () => {
  const stage = await createUpstreamHarness();
  let answer = ending(guest => void guest.socket.end());
  const server = await startServer(keeping((...all) => answer(...all)));
  const upstream = { url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true };
  stage.start(upstream);
  await stage.append(['0']);
  await delivered(stage, 1);
  for (const [text, qos] of [
    ['1', [2, 1]],
    ['2', [2]],
  ] as const) {
    const before = server.guests.length;
    await stage.restart(upstream);
    await stage.append([text]);
    await delivered(stage, 1);
    const sent = server.guests.slice(before).flatMap(published);
    assert.equal(
      sent,
      qos.map(one => [text, one]),
    );
    answer = friendly;
  }
  await stage.finish();
  await server.close();
});

offering('a network that cuts never makes one fall back that has shown that it offers it', async () => {
  const stage = await createUpstreamHarness();
  let cutting = false;
  const server = await startServer(
    keeping((packet, guest, index) => {
      if (cutting && packet.cmd === 'publish') guest.socket.destroy();
      else friendly(packet, guest, index);
    }),
  );
  const upstream = { url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true };
  stage.start(upstream);
  await stage.append(['0']);
  await delivered(stage, 1);
  cutting = true;
  await stage.restart(upstream);
  await stage.append(numbers(3));
  const isCutOften = (): boolean => server.guests.flatMap(published).length > 12;
  await stage.until('it is cut often', isCutOften, 100);
  cutting = false;
  await delivered(stage, 3);
  assert.ok(server.guests.flatMap(published).every(([, qos]) => qos === 2));
  assert.equal([warnings(stage), stage.letters()], [0, []]);
  await stage.finish();
  await server.close();
});

offering('another server at the same address is asked anew, though the hub restarts meanwhile', async () => {
  const stage = await createUpstreamHarness();
  let replaced = false;
  let lost = false;
  const server = await startServer((packet, guest, index) => {
    if (packet.cmd === 'connect') {
      welcome(guest, {}, packet.clean !== true && !lost);
      lost = false;
    } else if (replaced && packet.cmd === 'publish' && packet.qos === 2) guest.socket.end();
    else if (!guest.socket.writableEnded) friendly(packet, guest, index);
  });
  const upstream = { url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true };
  stage.start(upstream);
  await stage.append(['first']);
  await stage.until('it offers QoS 2', () => stage.forwarder().status().delivered === 1, 20);
  await stage.queue.commit();
  replaced = true;
  lost = true;
  const links = server.guests.length;
  server.guests.at(-1)?.socket.destroy();
  await stage.append(numbers(5));
  await stage.until('the new one has greeted', () => server.guests.length > links && !lost, 20);
  await stage.queue.commit();
  await stage.restart(upstream);
  await stage.until('all are taken', () => stage.forwarder().status().delivered === 5, 500);
  assert.equal(stage.letters(), []);
  await stage.finish();
  await server.close();
});

offering('it is not taken for lacking QoS 2 if it ends its links for the message itself', async () => {
  const stage = await createUpstreamHarness();
  const server = await startServer(
    keeping((packet, guest, index) => {
      if (packet.cmd === 'publish' && packet.payload.toString() === 'bad') guest.socket.end();
      else friendly(packet, guest, index);
    }),
    0,
    4,
  );
  stage.start({ url: `mqtt://127.0.0.1:${server.port}`, exactlyOnce: true });
  await stage.append(['bad', ...numbers(3)]);
  await delivered(stage, 3);
  const qos = server.guests.flatMap(published).flatMap(([text, one]) => (text === '2' ? [one] : []));
  assert.equal(qos, [2]);
  assert.is(warnings(stage), 0);
  assert.equal(stage.letters(), ['the upstream closes the connection when it receives the message']);
  await stage.finish();
  await server.close();
});

offering('each address for itself: what one does not offer is used where another does', async () => {
  const stage = await createUpstreamHarness();
  let isAway = false;
  const exact = await startServer((packet, guest, index) => {
    if (isAway) guest.socket.destroy();
    else keeping(friendly)(packet, guest, index);
  });
  const other = await startServer(keeping(lowering));
  const urls = [exact, other].map(({ port }) => `mqtt://127.0.0.1:${port}`);
  stage.start({ urls, exactlyOnce: true });
  await stage.append(['0']);
  await delivered(stage, 1);
  isAway = true;
  exact.guests.at(-1)?.socket.destroy();
  await stage.append(['1', '2']);
  await delivered(stage, 3);
  isAway = false;
  other.guests.at(-1)?.socket.destroy();
  await stage.append(['3']);
  await delivered(stage, 4);
  assert.equal(exact.guests.flatMap(published), [
    ['0', 2],
    ['3', 2],
  ]);
  assert.equal(other.guests.flatMap(published), [
    ['1', 2],
    ['2', 1],
  ]);
  assert.is(warnings(stage), 1);
  await stage.finish();
  await exact.close();
  await other.close();
});

offering.run();
