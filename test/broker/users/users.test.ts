import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { INITIAL_LOCKOUT_MS, MAX_FAILED_LOGINS } from '../../../src/auth/limits.ts';
import { hashPassword } from '../../../src/crypto/passwords.ts';
import type { BrokerHarness, Client, ConnectOptions } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';
import { outcome } from '../../harness/clients/listeners.ts';
import { createTestClock } from '../../harness/clock.ts';

const random = { fraction: () => 0, bytes: (count: number) => randomBytes(count) };
const hash = (text: string): Promise<string> => hashPassword(Buffer.from(text), random);
const USERS = {
  alice: { password: await hash('a-secret'), publish: ['rooms/%u/#'], subscribe: ['rooms/#', 'kept/%c'] },
  bob: { password: await hash('b-secret'), publish: ['to/%c'], subscribe: ['$SYS/#'] },
};
const ALICE = { username: 'alice', password: Buffer.from('a-secret') };
const BOB = { username: 'bob', password: Buffer.from('b-secret') };
const MANIFEST = { manifest: { users: USERS } };

async function enter(broker: BrokerHarness, options: ConnectOptions): Promise<Client> {
  const client = await broker.client();
  assert.is(brief(await client.connect(options)), 'connack 0');
  return client;
}

const users = suite('broker: users');

users('a user may publish and subscribe only on the topics of its grants', () =>
  withBroker(async broker => {
    const alice = await enter(broker, { clientId: 'a', ...ALICE });
    const bob = await enter(broker, { clientId: 'b', ...BOB });
    assert.is(brief(await alice.subscribe('rooms/+/x', 0)), 'suback 0');
    assert.is(brief(await alice.subscribe('#', 0)), 'suback 128');
    assert.is(brief(await bob.subscribe('rooms/#', 0)), 'suback 128');
    alice.publish('rooms/alice/x', 'mine', 1);
    const received = [brief(await alice.next()), brief(await alice.next())].sort();
    assert.equal(received, ['puback', 'rooms/alice/x mine q0']);
    alice.publish('rooms/bob/x', 'not mine', 1);
    assert.is(await alice.next(), 'closed');
    assert.match(
      broker.log.join('\n'),
      /: the client may not publish to "rooms\/bob\/x"\. client=a user=alice address=127\.0\.0\.1$/m,
    );
    bob.publish('to/b', 'x', 1);
    assert.is(brief(await bob.next()), 'puback');
    bob.publish('to/a', 'x', 1);
    assert.is(await bob.next(), 'closed');
  }, MANIFEST),
);

users('a client with a wrong or missing password or user name is refused with return code 5', () =>
  withBroker(async broker => {
    for (const wrong of [
      { ...ALICE, password: Buffer.from('b-secret') },
      { ...ALICE, username: 'nobody' },
      { username: 'alice' },
      {},
    ]) {
      const client = await broker.client();
      assert.is(brief(await client.connect(wrong)), 'connack 5');
      assert.is(await client.next(), 'closed');
    }
  }, MANIFEST),
);

users('[MQTT-3.1.4-5] packets behind CONNECT are processed only after the password was verified', () =>
  withBroker(async broker => {
    const connect = (password: string) =>
      Buffer.from(`\x10\x1e\x00\x04MQTT\x04\xc2\x00\x00\x00\x01c\x00\x05alice\x00\x08${password}`, 'latin1');
    const rest = Buffer.from('\x82\x0a\x00\x01\x00\x05rooms\x00\xc0\x00', 'latin1');
    const right = await broker.client();
    right.write(Buffer.concat([connect('a-secret'), rest]));
    right.write(Buffer.from([0xc0, 0]));
    const received: string[] = [];
    for (let n = 0; n < 4; n++) received.push(brief(await right.next()));
    assert.equal(received, ['connack 0', 'suback 0', 'pingresp', 'pingresp']);
    const wrong = await broker.client();
    wrong.write(Buffer.concat([connect('x-secret'), rest]));
    assert.is(brief(await wrong.next()), 'connack 5');
    assert.is(await wrong.next(), 'closed');
  }, MANIFEST),
);

users('a client that disconnects during the verification of its password causes no error', () =>
  withBroker(async broker => {
    const alice = await enter(broker, { clientId: 'same', ...ALICE });
    const early = await broker.client();
    early.socket.resetAndDestroy();
    const other = await broker.client();
    const kept = { clientId: 'gone', clean: false, keepalive: 0 };
    other.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, ...kept, ...BOB });
    other.socket.end();
    while ((await other.next()) !== 'closed');
    for (let n = 0; n < 3; n++) assert.equal(await alice.roundTrip(), []);
    assert.not(
      broker.log.some(line => line.startsWith('error')),
      broker.log.join('\n'),
    );
  }, MANIFEST),
);

users('a user with too many failed logins is refused with return code 3 until the lockout ends', async () => {
  const clock = createTestClock();
  const attempt = async (broker: BrokerHarness, options: ConnectOptions): Promise<string> => {
    const client = await broker.client();
    return brief(await client.connect(options));
  };
  await withBroker(
    async broker => {
      const wrong = { ...ALICE, password: Buffer.from('wrong') };
      for (let n = 0; n < MAX_FAILED_LOGINS; n++) assert.is(await attempt(broker, wrong), 'connack 5');
      assert.is(await attempt(broker, ALICE), 'connack 3');
      assert.is(await attempt(broker, BOB), 'connack 0');
      clock.advance(INITIAL_LOCKOUT_MS);
      assert.is(await attempt(broker, ALICE), 'connack 0');
    },
    { ...MANIFEST, clock },
  );
});

users('a user does not get the session of another user with the same client identifier', () =>
  withBroker(async broker => {
    const alice = await enter(broker, { clientId: 'same', clean: false, ...ALICE });
    assert.is(brief(await alice.subscribe('kept/same', 1)), 'suback 1');
    const bob = await enter(broker, { clientId: 'same', clean: false, ...BOB });
    assert.equal(await alice.roundTrip(), []);
    assert.equal(await bob.roundTrip(), []);
    await alice.leave();
    await broker.restart();
    const again = await broker.client();
    assert.is(brief(await again.connect({ clientId: 'same', clean: false, ...ALICE })), 'connack 0 present');
  }, MANIFEST),
);

users('a client without a user name has the grants of "anonymous", and an unknown user name is refused', () =>
  withBroker(
    async broker => {
      const client = await enter(broker, { clientId: 'c' });
      client.publish('open/x', 'x', 1);
      assert.is(brief(await client.next()), 'puback');
      assert.is(brief(await client.subscribe('open/#', 0)), 'suback 128');
      client.publish('rooms/x', 'x', 1);
      assert.is(await client.next(), 'closed');
      const stranger = await broker.client();
      assert.is(
        brief(await stranger.connect({ username: 'nobody', password: Buffer.from('x') })),
        'connack 5',
      );
    },
    { manifest: { users: USERS, anonymous: { publish: ['open/#'] } } },
  ),
);

users(
  'a hub without configured users accepts any user name from the local machine and no client of another machine',
  async () => {
    const outside = Object.values(networkInterfaces())
      .flatMap(list => list ?? [])
      .find(({ internal, family }) => !internal && family === 'IPv4');
    await withBroker(
      async broker => {
        const port = broker.port();
        const login = { username: 'any', password: 'thing' };
        assert.is(await outcome(`mqtt://127.0.0.1:${port}`, login), 'in');
        if (outside === undefined) process.stdout.write('\nskipped: this machine has no other address\n');
        else {
          assert.match(await outcome(`mqtt://${outside.address}:${port}`, login), /Not authorized/);
          assert.match(await outcome(`mqtt://${outside.address}:${port}`), /Not authorized/);
        }
      },
      { manifest: { listeners: [{ mqtt: '0.0.0.0:0' }] } },
    );
  },
);

users('the log contains no password that a client has sent', () =>
  withBroker(async broker => {
    for (const password of ['a-secret', 'wr0ng-secret']) {
      const client = await broker.client();
      await client.connect({ username: 'alice', password: Buffer.from(password) });
      client.publish('not/mine', 'x', 1);
      while ((await client.next()) !== 'closed');
    }
    assert.ok(broker.log.length > 0);
    assert.not.match(broker.log.join('\n'), /secret|scrypt/);
  }, MANIFEST),
);

users.run();
