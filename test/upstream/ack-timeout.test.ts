import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { upstreamLines } from '../../src/cli/output/upstream-lines.ts';
import { ACK_TIMEOUT_MS } from '../../src/upstream/limits.ts';
import type { UpstreamHarness } from '../harness/upstream.ts';
import { createUpstreamHarness, numbers } from '../harness/upstream.ts';
import type { Script, Server } from './server.ts';
import { acceptAll, startServer } from './server.ts';

const acks = suite('upstream: missing acknowledgements');

/** Script that accepts every packet and never sends packets of some types. */
const without =
  (...silenced: readonly string[]): Script =>
  (packet, connection, index) =>
    acceptAll(
      packet,
      { ...connection, send: answer => void (silenced.includes(answer.cmd) || connection.send(answer)) },
      index,
    );

async function withServers(
  scripts: readonly Script[],
  test: (harness: UpstreamHarness, servers: readonly Server[]) => Promise<void>,
): Promise<void> {
  const harness = await createUpstreamHarness();
  const servers = await Promise.all(scripts.map(script => startServer(script)));
  try {
    await test(harness, servers);
  } finally {
    await harness.finish();
    await Promise.all(servers.map(server => server.close()));
  }
}

function urlOf(server: Server | undefined): string {
  return `mqtt://127.0.0.1:${server?.port}`;
}

const errorOf = (harness: UpstreamHarness): string => harness.forwarder().status().lastError ?? '';

const MISSING: readonly (readonly [missing: string, upstream: object])[] = [
  ['PUBACK', {}],
  ['PUBREC', { exactlyOnce: true }],
  ['PUBCOMP', { exactlyOnce: true }],
  ['SUBACK', { down: ['commands/#'] }],
];

for (const [missing, upstream] of MISSING) {
  acks(
    `a connection without ${missing} is closed after the timeout, and a later connection sends all messages`,
    () => {
      const silent = without(missing.toLowerCase());
      let heals = false;
      const script: Script = (...packet) => (heals ? acceptAll : silent)(...packet);
      return withServers([script], async (harness, [server]) => {
        harness.start({ url: urlOf(server), window: 4, ...upstream });
        await harness.append(numbers(10));
        await harness.until('the link ends', () => errorOf(harness) !== '', 500);
        assert.is(
          errorOf(harness),
          `The connection to 127.0.0.1:${server?.port} failed: no ${missing} for ${ACK_TIMEOUT_MS / 1000} s.`,
        );
        await harness.until(
          'it is connected again',
          () => harness.forwarder().status().state === 'connected',
          500,
        );
        const [line] = upstreamLines({
          name: 'upstream',
          ...harness.forwarder().status(),
          backlog: 0,
          oldestMs: undefined,
        });
        assert.match(line ?? '', new RegExp(`connected.*no ${missing} for 60 s`));
        heals = true;
        const depth = (): number => harness.queue.store.stats()[0]?.depth ?? 0;
        await harness.until('the queue is empty', () => depth() === 0, 10);
        assert.equal([...new Set(server?.bodies())], numbers(10));
        assert.equal(harness.deadLetterReasons(), []);
        const isSound = (): boolean => harness.forwarder().status().acknowledges;
        await harness.until('the status shows that the server acknowledges', isSound, 500);
      });
    },
  );
}

acks('a message that the server never acknowledges stays queued and does not become a dead letter', () =>
  withServers([without('puback')], async (harness, [server]) => {
    harness.start({ url: urlOf(server), window: 1 });
    await harness.append(numbers(2));
    await harness.until('twenty links have ended', () => (server?.connections.length ?? 0) > 20, 2_000);
    assert.equal(harness.deadLetterReasons(), []);
    assert.equal([...new Set(server?.bodies())], ['0']);
    // Each reconnect delay is up to twice as long as the previous one, at most a minute.
    assert.ok(harness.queue.clock.monotonic() > 20 * ACK_TIMEOUT_MS + 5 * 30_000);
  }),
);

acks('the hub connects to the next address of "urls" if a server acknowledges no message', () =>
  withServers([without('puback'), acceptAll], async (harness, servers) => {
    harness.start({ urls: servers.map(urlOf) });
    await harness.append(numbers(10));
    await harness.until('all have arrived', () => harness.forwarder().status().delivered === 10, 500);
    assert.equal(servers[1]?.bodies(), numbers(10));
    assert.is(servers[0]?.connections.length, 1);
    assert.ok(harness.queue.clock.monotonic() < 4 * ACK_TIMEOUT_MS);
  }),
);

acks('a server that acknowledges one message per 50 s keeps its connection', () =>
  withServers([without('puback')], async (harness, [server]) => {
    harness.start({ url: urlOf(server), window: 4 });
    await harness.append(numbers(10));
    await harness.until('the window is full', () => server?.bodies().length === 4);
    const [connection] = server?.connections ?? [];
    for (let count = 1; count <= 10; count++) {
      const from = harness.queue.clock.monotonic();
      await harness.until('50 s are over', () => harness.queue.clock.monotonic() - from >= 50_000, 500);
      const next = connection?.packets.flatMap(packet => (packet.cmd === 'publish' ? [packet] : []))[
        count - 1
      ];
      connection?.send({ cmd: 'puback', messageId: next?.messageId ?? 0 });
      await harness.until('it is acknowledged', () => harness.forwarder().status().delivered === count);
      await harness.until(
        'there is a next one',
        () => (server?.bodies().length ?? 0) > count || count === 10,
      );
    }
    assert.is(errorOf(harness), '');
    assert.is(server?.connections.length, 1);
  }),
);

acks(
  'a connection that needs minutes for a large message is not closed by the acknowledgement timeout',
  () => {
    // The server has not received the messages yet, so it cannot answer a ping that follows them.
    const silent = without('puback', 'pingresp');
    let arrived = false;
    return withServers(
      [(...packet) => (arrived ? acceptAll : silent)(...packet)],
      async (harness, [server]) => {
        harness.start({ url: urlOf(server), keepAlive: '10m' });
        await harness.append(numbers(1));
        await harness.until('it is on its way', () => server?.bodies().length === 1);
        await harness.until('minutes pass', () => harness.queue.clock.monotonic() > 6 * ACK_TIMEOUT_MS, 500);
        assert.is(errorOf(harness), '');
        const [connection] = server?.connections ?? [];
        arrived = true;
        for (const packet of connection?.packets ?? [])
          if (packet.cmd !== 'connect' && connection !== undefined) acceptAll(packet, connection, 0);
        await harness.until('it is acknowledged', () => harness.forwarder().status().delivered === 1, 10);
        assert.is(server?.connections.length, 1);
        assert.ok((connection?.packets ?? []).filter(({ cmd }) => cmd === 'pingreq').length <= 1);
      },
    );
  },
);

acks.run();
