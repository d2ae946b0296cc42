import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Failure } from '../../src/core/errors.ts';
import type { Message } from '../../src/core/message.ts';
import { MAX_DELIVERY_EXCEPTIONS } from '../../src/queue/limits.ts';
import { openLink } from '../../src/upstream/link/link.ts';
import { createTestClock } from '../harness/clock.ts';
import { createUpstreamHarness } from '../harness/upstream.ts';
import { acceptAll, startServer } from './server.ts';

const contained = suite('upstream: contained failures of the hub');

const LONG = 'x'.repeat(65_536);

/** Messages that no PUBLISH of some versions can hold, each with the reason. */
const UNENCODABLE: readonly (readonly [
  change: Partial<Message>,
  reason: RegExp,
  versions: readonly (4 | 5)[],
])[] = [
  [
    { properties: ['k', LONG] },
    /^MQTT 5 cannot encode the message: its property is longer than 65535 bytes$/,
    [5],
  ],
  [{ properties: [LONG, 'v'] }, /its property is longer than 65535 bytes$/, [5]],
  [
    { properties: ['k', 'a\u0000b'] },
    /its property contains the character U\+0000, which MQTT forbids$/,
    [5],
  ],
  [{ properties: ['k'] }, /a property has no value$/, [5]],
  [{ contentType: LONG }, /its content type is longer than 65535 bytes$/, [5]],
  [{ responseTopic: LONG }, /its response topic is longer than 65535 bytes$/, [5]],
  [{ responseTopic: 'a/#' }, /its response topic has wildcards$/, [5]],
  [{ correlation: Buffer.alloc(65_536) }, /its correlation data are longer than 65535 bytes$/, [5]],
  [{ topic: 'x'.repeat(65_533) }, /^its topic on the upstream server is not a valid topic name$/, [4, 5]],
];

for (const version of [5, 4] as const) {
  contained(
    `a message that exceeds the limits of MQTT ${version} becomes a dead letter, and all other messages arrive`,
    async () => {
      const harness = await createUpstreamHarness();
      const server = await startServer(
        (packet, connection, index) => {
          if (packet.cmd === 'connect' && packet.protocolVersion !== version)
            connection.send({ cmd: 'connack', returnCode: 1, reasonCode: 1, sessionPresent: false });
          else acceptAll(packet, connection, index);
        },
        0,
        version,
      );
      const texts: string[] = [];
      for (const [index, [change, , versions]] of UNENCODABLE.entries()) {
        await harness.append([`bad ${index}`], change);
        await harness.append([`good ${index}`]);
        if (!versions.includes(version)) texts.push(`bad ${index}`);
        texts.push(`good ${index}`);
      }
      harness.start({ url: `mqtt://127.0.0.1:${server.port}` });
      await harness.until('the others arrive', () => server.bodies().length === texts.length, 20);
      assert.equal(server.bodies(), texts);
      const expected = UNENCODABLE.filter(([, , versions]) => versions.includes(version));
      await harness.until(
        'the rest is dead',
        () => harness.deadLetterReasons().length === expected.length,
        20,
      );
      for (const [index, reason] of harness.deadLetterReasons().entries())
        assert.match(reason, expected[index]?.[1] ?? /^$/);
      assert.is(harness.forwarder().status().lastError, undefined);
      await harness.finish();
      await server.close();
    },
  );
}

contained(
  'a message from upstream whose delivery throws is retried, then discarded and acknowledged',
  async () => {
    const harness = await createUpstreamHarness();
    const server = await startServer(acceptAll);
    const tried: string[] = [];
    harness.receive = ({ body }, settle) => {
      tried.push(body.toString());
      if (body.toString() === 'poison') throw new RangeError('Maximum call stack size exceeded');
      settle();
    };
    harness.start({ url: `mqtt://127.0.0.1:${server.port}`, down: ['commands/#'] });
    const has = (cmd: string, count = 1): boolean =>
      (server.connections[1]?.packets ?? []).filter(packet => packet.cmd === cmd).length === count;
    await harness.until('it is subscribed', () => has('subscribe'));
    for (const [index, payload] of ['poison', 'good'].entries())
      server.connections[1]?.send({
        cmd: 'publish',
        topic: 'commands/x',
        payload,
        qos: 1,
        messageId: index + 1,
        dup: false,
        retain: false,
      });
    server.connections[1]?.send({
      cmd: 'publish',
      topic: 'commands/y',
      payload: 'poison',
      qos: 0,
      dup: false,
      retain: false,
    });
    await harness.append(['up']);
    await harness.until('forwarding continues', () => server.bodies().includes('up'));
    await harness.until('both are acknowledged', () => has('puback', 2), 100);
    assert.is(tried.filter(text => text === 'poison').length, MAX_DELIVERY_EXCEPTIONS + 1);
    assert.is(tried.filter(text => text === 'good').length, 1);
    assert.match(
      harness.log.join(),
      /Unexpected exception in the delivery of a message from upstream; the hub continues: RangeError/,
    );
    assert.match(
      harness.log.join(),
      /Discarded a message from upstream on "commands\/x": its delivery failed/,
    );
    assert.is(server.connections.length, 2);
    await harness.finish();
    await server.close();
  },
);

contained(
  'an exception in a callback of an upstream connection closes the connection and is rethrown',
  async () => {
    const server = await startServer(acceptAll);
    const clock = createTestClock();
    const thrown: unknown[] = [];
    const failures: (Failure | undefined)[] = [];
    const closed = Promise.withResolvers<void>();
    openLink(
      {
        host: '127.0.0.1',
        port: server.port,
        version: 5,
        clientId: 'x',
        clean: true,
        username: undefined,
        password: undefined,
        keepAlive: 30,
        clock,
      },
      {
        opened: () => {
          throw new Error('first');
        },
        packet: () => {},
        acknowledged: () => {},
        writable: () => {},
        closed: failure => {
          failures.push(failure);
          closed.resolve();
          throw new Error('second');
        },
        threw: one => thrown.push(one),
      },
    );
    await closed.promise;
    await server.close();
    assert.equal(
      thrown.map(one => String(one)),
      ['Error: first', 'Error: second'],
    );
    assert.equal(
      failures.map(one => one?.message),
      [`The connection to 127.0.0.1:${server.port} failed: an internal error of this hub (first).`],
    );
  },
);

contained.run();
