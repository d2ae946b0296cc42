import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Failure } from '../../src/core/errors.ts';
import type { Message } from '../../src/core/message.ts';
import { MAX_DELIVERY_EXCEPTIONS } from '../../src/queue/limits.ts';
import { openLink } from '../../src/upstream/link/link.ts';
import { createTestClock } from '../harness/clock.ts';
import { createUpstreamHarness } from '../harness/upstream.ts';
import { friendly, startServer } from './server.ts';

const contained = suite('upstream: what fails in the hub ends nothing');

const LONG = 'x'.repeat(65_536);

/** Messages that no PUBLISH can hold, and why: of MQTT 5 alone, or of both versions. */
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
    `a message that no packet of MQTT ${version} can hold is a dead letter, and the others arrive`,
    async () => {
      const stage = await createUpstreamHarness();
      const server = await startServer(
        (packet, guest, index) => {
          if (packet.cmd === 'connect' && packet.protocolVersion !== version)
            guest.send({ cmd: 'connack', returnCode: 1, reasonCode: 1, sessionPresent: false });
          else friendly(packet, guest, index);
        },
        0,
        version,
      );
      const texts: string[] = [];
      for (const [index, [change, , versions]] of UNENCODABLE.entries()) {
        await stage.append([`bad ${index}`], change);
        await stage.append([`good ${index}`]);
        if (!versions.includes(version)) texts.push(`bad ${index}`);
        texts.push(`good ${index}`);
      }
      stage.start({ url: `mqtt://127.0.0.1:${server.port}` });
      await stage.until('the others arrive', () => server.bodies().length === texts.length, 20);
      assert.equal(server.bodies(), texts);
      const expected = UNENCODABLE.filter(([, , versions]) => versions.includes(version));
      await stage.until('the rest is dead', () => stage.letters().length === expected.length, 20);
      for (const [index, reason] of stage.letters().entries())
        assert.match(reason, expected[index]?.[1] ?? /^$/);
      assert.is(stage.forwarder().status().lastError, undefined);
      await stage.finish();
      await server.close();
    },
  );
}

contained(
  'a message from upstream that the hub throws on is tried some times, then discarded and acknowledged',
  async () => {
    const stage = await createUpstreamHarness();
    const server = await startServer(friendly);
    const tried: string[] = [];
    stage.takeDown = ({ body }, settle) => {
      tried.push(body.toString());
      if (body.toString() === 'poison') throw new RangeError('Maximum call stack size exceeded');
      settle();
    };
    stage.start({ url: `mqtt://127.0.0.1:${server.port}`, down: ['commands/#'] });
    const has = (cmd: string, count = 1): boolean =>
      (server.guests[1]?.packets ?? []).filter(packet => packet.cmd === cmd).length === count;
    await stage.until('it is subscribed', () => has('subscribe'));
    for (const [index, payload] of ['poison', 'good'].entries())
      server.guests[1]?.send({
        cmd: 'publish',
        topic: 'commands/x',
        payload,
        qos: 1,
        messageId: index + 1,
        dup: false,
        retain: false,
      });
    server.guests[1]?.send({
      cmd: 'publish',
      topic: 'commands/y',
      payload: 'poison',
      qos: 0,
      dup: false,
      retain: false,
    });
    await stage.append(['up']);
    await stage.until('what goes up is not held up', () => server.bodies().includes('up'));
    await stage.until('both are acknowledged', () => has('puback', 2), 100);
    assert.is(tried.filter(text => text === 'poison').length, MAX_DELIVERY_EXCEPTIONS + 1);
    assert.is(tried.filter(text => text === 'good').length, 1);
    assert.match(
      stage.log.join(),
      /An exception in the delivery of a message from upstream was contained: RangeError/,
    );
    assert.match(stage.log.join(), /Discarded a message from upstream on "commands\/x": its delivery failed/);
    assert.is(server.guests.length, 2);
    await stage.finish();
    await server.close();
  },
);

contained('an exception in a step of a link ends that link, once, and is passed on', async () => {
  const server = await startServer(friendly);
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
});

contained.run();
