import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { generate } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { moduleReserve } from '../../../src/core/capacity/shares.ts';
import { until } from '../../harness/binary.ts';
import type { BrokerHarness } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';

/** Maximum connections of clients in the manifest of the last test. */
const CLIENTS = 2;

/** Manifest with two modules, of which `mine` writes its environment to a file. */
const MANIFEST = {
  modules: {
    mine: { exec: ['sh', '-c', 'env > mine.new && mv mine.new mine.env && exec sleep 1000'] },
    other: { exec: ['sleep', '1000'] },
  },
  routes: {
    in: 'FROM topic("to-mine/#") INTO BrokeredEndpoint("/modules/mine/inputs/in")',
    out: 'FROM /messages/modules/mine/outputs/out INTO topic("from-mine")',
  },
};

async function credentials(broker: BrokerHarness): Promise<{ username: string; password: Buffer }> {
  const file = join(broker.folder, 'mine.env');
  await until('the module has written its environment', () => existsSync(file));
  const variables = new Map<string, string>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [name = '', ...value] = line.split('=');
    variables.set(name, value.join('='));
  }
  assert.is(variables.get('SKERRY_MQTT_URL'), `mqtt://127.0.0.1:${broker.port()}`);
  return {
    username: variables.get('SKERRY_MODULE') ?? '',
    password: Buffer.from(variables.get('SKERRY_TOKEN') ?? ''),
  };
}

const modules = suite('broker: modules over MQTT');

modules('a module that logs in with its token can publish on its outputs, and its messages are routed', () =>
  withBroker(
    async broker => {
      const module = await broker.client();
      assert.is(brief(await module.connect({ clientId: 'x', ...(await credentials(broker)) })), 'connack 0');
      const listener = await broker.client();
      await listener.connect({ clientId: 'listener' });
      await listener.subscribe('from-mine', 0);
      module.publish('modules/mine/outputs/out', 'hello', 1);
      assert.is(brief(await module.next()), 'puback');
      assert.is(brief(await listener.next()), 'from-mine hello q0');
    },
    { manifest: MANIFEST },
  ),
);

modules('a module may neither publish for another module nor subscribe to its inputs', () =>
  withBroker(
    async broker => {
      const module = await broker.client();
      await module.connect(await credentials(broker));
      for (const filter of ['modules/other/inputs/#', 'modules/#', '#', '+/mine/inputs/in']) {
        assert.is(brief(await module.subscribe(filter, 1)), 'suback 128', filter);
      }
      module.publish('modules/other/outputs/out', 'x', 1);
      assert.is(await module.next(), 'closed');
    },
    { manifest: MANIFEST },
  ),
);

modules('a module may use its inputs, its outputs and the topics of its grants, and no other topics', () =>
  withBroker(
    async broker => {
      const module = await broker.client();
      await module.connect(await credentials(broker));
      assert.is(brief(await module.subscribe('sensors/+/mine', 0)), 'suback 0');
      assert.is(brief(await module.subscribe('sensors/#', 0)), 'suback 128');
      module.publish('sensors/1/mine', 'x', 0);
      assert.is(brief(await module.next()), 'sensors/1/mine x q0');
      module.publish('elsewhere', 'x', 0);
      assert.is(await module.next(), 'closed');
    },
    {
      manifest: {
        ...MANIFEST,
        modules: {
          ...MANIFEST.modules,
          mine: { ...MANIFEST.modules.mine, publish: ['sensors/+/%u'], subscribe: ['sensors/+/%u'] },
        },
      },
    },
  ),
);

modules('a login with a module name and a wrong or missing token is refused with return code 5', () =>
  withBroker(
    async broker => {
      const { username } = await credentials(broker);
      for (const wrong of [{ username, password: Buffer.from('guess') }, { username }]) {
        const client = await broker.client();
        assert.is(brief(await client.connect(wrong)), 'connack 5');
        assert.is(await client.next(), 'closed');
      }
    },
    { manifest: MANIFEST },
  ),
);

modules(
  'a message that a route sends to a module input is sent again until the module acknowledges the message',
  () =>
    withBroker(
      async broker => {
        const login = await credentials(broker);
        const sender = await broker.client();
        await sender.connect({ clientId: 'sender' });
        for (const text of ['1', '2']) {
          sender.publish('to-mine/x', text, 1);
          assert.is(brief(await sender.next()), 'puback');
        }
        const first = await broker.client();
        await first.connect(login);
        assert.is(brief(await first.subscribe('modules/mine/inputs/in', 1)), 'suback 1');
        assert.is(brief(await first.next()), 'modules/mine/inputs/in 1 q1');
        assert.is(brief(await first.next()), 'modules/mine/inputs/in 2 q1');
        first.socket.destroy();
        await first.next();

        const second = await broker.client();
        await second.connect(login);
        await second.subscribe('modules/mine/inputs/#', 1);
        for (const text of ['1', '2']) {
          const packet = await second.next();
          assert.is(brief(packet), `modules/mine/inputs/in ${text} q1 dup`);
          if (packet !== 'closed') second.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
        }
        second.send({ cmd: 'pingreq' });
        assert.is(brief(await second.next()), 'pingresp');
        const queue = broker
          .hub()
          .status()
          .queues.find(({ queue: name }) => name === 'input/mine/in');
        assert.is(queue?.depth, 0);
      },
      { manifest: MANIFEST },
    ),
);

modules(
  'after an UNSUBSCRIBE, messages for a module input are stored until the module subscribes again',
  () =>
    withBroker(
      async broker => {
        const module = await broker.client();
        await module.connect(await credentials(broker));
        assert.is(brief(await module.subscribe('modules/mine/inputs/in', 0)), 'suback 0');
        const sender = await broker.client();
        await sender.connect({ clientId: 'sender' });
        const send = async (text: string): Promise<void> => {
          sender.publish('to-mine', text, 1);
          assert.is(brief(await sender.next()), 'puback');
        };
        await send('1');
        assert.is(brief(await module.next()), 'modules/mine/inputs/in 1 q0');
        module.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['modules/mine/inputs/in'] });
        assert.is(brief(await module.next()), 'unsuback');
        await send('2');
        assert.equal(await module.roundTrip(), []);
        assert.is(brief(await module.subscribe('modules/mine/inputs/+', 1)), 'suback 1');
        assert.is(brief(await module.next()), 'modules/mine/inputs/in 2 q1');
      },
      { manifest: MANIFEST },
    ),
);

modules(
  '[MQTT-3.1.4-2] a new connection of a module takes over the session of the module, with any client identifier',
  () =>
    withBroker(
      async broker => {
        const login = await credentials(broker);
        const client = await broker.client();
        await client.connect({ clientId: 'two' });
        const first = await broker.client();
        await first.connect({ clientId: 'one', ...login });
        const second = await broker.client();
        assert.is(brief(await second.connect({ clientId: 'two', ...login })), 'connack 0');
        assert.is(await first.next(), 'closed');
        assert.equal(await client.roundTrip(), []);
      },
      { manifest: MANIFEST },
    ),
);

modules('neither the log nor the command line of a process contains the token of a module', () =>
  withBroker(
    async broker => {
      const { password } = await credentials(broker);
      assert.ok(password.length >= 32);
      assert.not(broker.log.some(line => line.includes(password.toString())));
      const { pid } = broker.hub().status().modules[0] ?? {};
      assert.not.match(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), password.toString());
    },
    { manifest: MANIFEST },
  ),
);

/** Opens a connection that is refused and keeps its side open. */
async function refused(broker: BrokerHarness): Promise<Socket> {
  const socket = connect({ port: broker.port(), host: '127.0.0.1', allowHalfOpen: true });
  // The hub resets the connection if a module needs its place.
  socket.on('error', () => {});
  socket.write(
    generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: 'x', clean: true }),
  );
  const answer = await Promise.race([once(socket, 'data'), once(socket, 'close')]);
  assert.is(answer[0][3], 3, 'a client is refused with a CONNACK');
  return socket;
}

modules('a module can connect although clients use all connections that are not reserved for modules', () =>
  withBroker(
    async broker => {
      for (let n = 0; n < CLIENTS; n++) {
        const client = await broker.client();
        assert.is(brief(await client.connect({ clientId: `c${n}` })), 'connack 0');
      }
      const sockets: Socket[] = [];
      for (let n = 0; n < 2 * moduleReserve(CLIENTS); n++) sockets.push(await refused(broker));
      const module = await broker.client();
      assert.is(brief(await module.connect({ clientId: 'm', ...(await credentials(broker)) })), 'connack 0');
      assert.equal(await module.roundTrip(), []);
      for (const socket of sockets) socket.destroy();
    },
    {
      manifest: {
        ...MANIFEST,
        limits: { connections: CLIENTS },
        listeners: [{ mqtt: '127.0.0.1:0', maxConnections: CLIENTS }],
      },
    },
  ),
);

modules.run();
