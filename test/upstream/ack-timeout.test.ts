import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { upstreamLines } from '../../src/cli/output/upstream-lines.ts';
import { ACK_TIMEOUT_MS } from '../../src/upstream/limits.ts';
import type { UpstreamHarness } from '../harness/upstream.ts';
import { createUpstreamHarness, numbers } from '../harness/upstream.ts';
import type { Script, Server } from './server.ts';
import { friendly, startServer } from './server.ts';

const acks = suite('upstream: a server that does not acknowledge');

/** A script that does everything but send packets of some types. */
const without =
  (...silenced: readonly string[]): Script =>
  (packet, guest, index) =>
    friendly(
      packet,
      { ...guest, send: answer => void (silenced.includes(answer.cmd) || guest.send(answer)) },
      index,
    );

async function withStage(
  scripts: readonly Script[],
  test: (stage: UpstreamHarness, servers: readonly Server[]) => Promise<void>,
): Promise<void> {
  const stage = await createUpstreamHarness();
  const servers = await Promise.all(scripts.map(script => startServer(script)));
  try {
    await test(stage, servers);
  } finally {
    await stage.finish();
    await Promise.all(servers.map(server => server.close()));
  }
}

function urlOf(server: Server | undefined): string {
  return `mqtt://127.0.0.1:${server?.port}`;
}

const errorOf = (stage: UpstreamHarness): string => stage.forwarder().status().lastError ?? '';

const MISSING: readonly (readonly [missing: string, upstream: object])[] = [
  ['PUBACK', {}],
  ['PUBREC', { exactlyOnce: true }],
  ['PUBCOMP', { exactlyOnce: true }],
  ['SUBACK', { down: ['commands/#'] }],
];

for (const [missing, upstream] of MISSING) {
  acks(`a server that sends no ${missing} loses the link, and everything arrives over the next one`, () => {
    const deaf = without(missing.toLowerCase());
    let heals = false;
    const script: Script = (...packet) => (heals ? friendly : deaf)(...packet);
    return withStage([script], async (stage, [server]) => {
      stage.start({ url: urlOf(server), window: 4, ...upstream });
      await stage.append(numbers(10));
      await stage.until('the link ends', () => errorOf(stage) !== '', 500);
      assert.is(
        errorOf(stage),
        `The connection to 127.0.0.1:${server?.port} failed: no ${missing} for ${ACK_TIMEOUT_MS / 1000} s.`,
      );
      await stage.until('it is connected again', () => stage.forwarder().status().state === 'connected', 500);
      const [line] = upstreamLines({
        name: 'upstream',
        ...stage.forwarder().status(),
        backlog: 0,
        oldestMs: undefined,
      });
      assert.match(line ?? '', new RegExp(`connected.*no ${missing} for 60 s`));
      heals = true;
      const depth = (): number => stage.queue.store.stats()[0]?.depth ?? 0;
      await stage.until('the queue is empty', () => depth() === 0, 10);
      assert.equal([...new Set(server?.bodies())], numbers(10));
      assert.equal(stage.letters(), []);
      const isSound = (): boolean => stage.forwarder().status().acknowledges;
      await stage.until('the server counts as sound again', isSound, 500);
    });
  });
}

acks('a message that no server ever acknowledges waits, and does not become a dead letter', () =>
  withStage([without('puback')], async (stage, [server]) => {
    stage.start({ url: urlOf(server), window: 1 });
    await stage.append(numbers(2));
    await stage.until('twenty links have ended', () => (server?.guests.length ?? 0) > 20, 2_000);
    assert.equal(stage.letters(), []);
    assert.equal([...new Set(server?.bodies())], ['0']);
    // Each wait is up to twice as long as the one before, up to a minute.
    assert.ok(stage.queue.clock.monotonic() > 20 * ACK_TIMEOUT_MS + 5 * 30_000);
  }),
);

acks('the next address of "urls" takes over from a server that acknowledges nothing', () =>
  withStage([without('puback'), friendly], async (stage, servers) => {
    stage.start({ urls: servers.map(urlOf) });
    await stage.append(numbers(10));
    await stage.until('all have arrived', () => stage.forwarder().status().delivered === 10, 500);
    assert.equal(servers[1]?.bodies(), numbers(10));
    assert.is(servers[0]?.guests.length, 1);
    assert.ok(stage.queue.clock.monotonic() < 4 * ACK_TIMEOUT_MS);
  }),
);

acks('a server that acknowledges one message in 50 s keeps its link', () =>
  withStage([without('puback')], async (stage, [server]) => {
    stage.start({ url: urlOf(server), window: 4 });
    await stage.append(numbers(10));
    await stage.until('the window is full', () => server?.bodies().length === 4);
    const [guest] = server?.guests ?? [];
    for (let count = 1; count <= 10; count++) {
      const from = stage.queue.clock.monotonic();
      await stage.until('50 s are over', () => stage.queue.clock.monotonic() - from >= 50_000, 500);
      const next = guest?.packets.flatMap(packet => (packet.cmd === 'publish' ? [packet] : []))[count - 1];
      guest?.send({ cmd: 'puback', messageId: next?.messageId ?? 0 });
      await stage.until('it is known', () => stage.forwarder().status().delivered === count);
      await stage.until('there is a next one', () => (server?.bodies().length ?? 0) > count || count === 10);
    }
    assert.is(errorOf(stage), '');
    assert.is(server?.guests.length, 1);
  }),
);

acks('a network that needs minutes for a large message is not taken for a mute server', () => {
  // The messages lie in the network: the server has not received any, so it cannot answer what follows them.
  const silent = without('puback', 'pingresp');
  let arrived = false;
  return withStage([(...packet) => (arrived ? friendly : silent)(...packet)], async (stage, [server]) => {
    stage.start({ url: urlOf(server), keepAlive: '10m' });
    await stage.append(numbers(1));
    await stage.until('it is on its way', () => server?.bodies().length === 1);
    await stage.until('minutes pass', () => stage.queue.clock.monotonic() > 6 * ACK_TIMEOUT_MS, 500);
    assert.is(errorOf(stage), '');
    const [guest] = server?.guests ?? [];
    arrived = true;
    for (const packet of guest?.packets ?? [])
      if (packet.cmd !== 'connect' && guest !== undefined) friendly(packet, guest, 0);
    await stage.until('it is acknowledged', () => stage.forwarder().status().delivered === 1, 10);
    assert.is(server?.guests.length, 1);
    assert.ok((guest?.packets ?? []).filter(({ cmd }) => cmd === 'pingreq').length <= 1);
  });
});

acks.run();
