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

/** Connections that the manifest of the last test lets clients have. */
const CLIENTS = 2;

/** Two modules that tell the test what the hub gave them, and stay. */
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

async function credentials(stage: BrokerHarness): Promise<{ username: string; password: Buffer }> {
  const file = join(stage.folder, 'mine.env');
  await until('the module has told its environment', () => existsSync(file));
  const variables = new Map<string, string>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [name = '', ...value] = line.split('=');
    variables.set(name, value.join('='));
  }
  assert.is(variables.get('SKERRY_MQTT_URL'), `mqtt://127.0.0.1:${stage.port()}`);
  return {
    username: variables.get('SKERRY_MODULE') ?? '',
    password: Buffer.from(variables.get('SKERRY_TOKEN') ?? ''),
  };
}

const modules = suite('broker: modules over MQTT');

modules('a module with its token publishes on its outputs, which are routed', () =>
  withBroker(
    async stage => {
      const module = await stage.client();
      assert.is(brief(await module.connect({ clientId: 'x', ...(await credentials(stage)) })), 'connack 0');
      const listener = await stage.client();
      await listener.connect({ clientId: 'listener' });
      await listener.subscribe('from-mine', 0);
      module.publish('modules/mine/outputs/out', 'hello', 1);
      assert.is(brief(await module.next()), 'puback');
      assert.is(brief(await listener.next()), 'from-mine hello q0');
    },
    { manifest: MANIFEST },
  ),
);

modules("a module may not speak for another, nor read another's inputs", () =>
  withBroker(
    async stage => {
      const module = await stage.client();
      await module.connect(await credentials(stage));
      for (const filter of ['modules/other/inputs/#', 'modules/#', '#', '+/mine/inputs/in']) {
        assert.is(brief(await module.subscribe(filter, 1)), 'suback 128', filter);
      }
      module.publish('modules/other/outputs/out', 'x', 1);
      assert.is(await module.next(), 'closed');
    },
    { manifest: MANIFEST },
  ),
);

modules('beyond its outputs and inputs a module does what it is granted, and nothing else', () =>
  withBroker(
    async stage => {
      const module = await stage.client();
      await module.connect(await credentials(stage));
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

modules("a wrong token, and a module's name without one: return code 5", () =>
  withBroker(
    async stage => {
      const { username } = await credentials(stage);
      for (const wrong of [{ username, password: Buffer.from('guess') }, { username }]) {
        const client = await stage.client();
        assert.is(brief(await client.connect(wrong)), 'connack 5');
        assert.is(await client.next(), 'closed');
      }
    },
    { manifest: MANIFEST },
  ),
);

modules(
  'what a route puts into an input waits for the module, and comes again until it is acknowledged',
  () =>
    withBroker(
      async stage => {
        const login = await credentials(stage);
        const sender = await stage.client();
        await sender.connect({ clientId: 'sender' });
        for (const text of ['1', '2']) {
          sender.publish('to-mine/x', text, 1);
          assert.is(brief(await sender.next()), 'puback');
        }
        const first = await stage.client();
        await first.connect(login);
        assert.is(brief(await first.subscribe('modules/mine/inputs/in', 1)), 'suback 1');
        assert.is(brief(await first.next()), 'modules/mine/inputs/in 1 q1');
        assert.is(brief(await first.next()), 'modules/mine/inputs/in 2 q1');
        first.socket.destroy();
        await first.next();

        const second = await stage.client();
        await second.connect(login);
        await second.subscribe('modules/mine/inputs/#', 1);
        for (const text of ['1', '2']) {
          const packet = await second.next();
          assert.is(brief(packet), `modules/mine/inputs/in ${text} q1 dup`);
          if (packet !== 'closed') second.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
        }
        second.send({ cmd: 'pingreq' });
        assert.is(brief(await second.next()), 'pingresp');
        const queue = stage
          .hub()
          .status()
          .queues.find(({ queue: name }) => name === 'input/mine/in');
        assert.is(queue?.depth, 0);
      },
      { manifest: MANIFEST },
    ),
);

modules('at QoS 0 an input is delivered once and is gone, and after UNSUBSCRIBE it waits', () =>
  withBroker(
    async stage => {
      const module = await stage.client();
      await module.connect(await credentials(stage));
      assert.is(brief(await module.subscribe('modules/mine/inputs/in', 0)), 'suback 0');
      const sender = await stage.client();
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
  '[MQTT-3.1.4-2] a module has one session: it takes over from itself under any client identifier',
  () =>
    withBroker(
      async stage => {
        const login = await credentials(stage);
        const client = await stage.client();
        await client.connect({ clientId: 'two' });
        const first = await stage.client();
        await first.connect({ clientId: 'one', ...login });
        const second = await stage.client();
        assert.is(brief(await second.connect({ clientId: 'two', ...login })), 'connack 0');
        assert.is(await first.next(), 'closed');
        assert.equal(await client.roundTrip(), []);
      },
      { manifest: MANIFEST },
    ),
);

modules('no token stands in a log or an argument list', () =>
  withBroker(
    async stage => {
      const { password } = await credentials(stage);
      assert.ok(password.length >= 32);
      assert.not(stage.log.some(line => line.includes(password.toString())));
      const { pid } = stage.hub().status().modules[0] ?? {};
      assert.not.match(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), password.toString());
    },
    { manifest: MANIFEST },
  ),
);

/** A client that is refused, and keeps its side of the connection open. */
async function refused(stage: BrokerHarness): Promise<Socket> {
  const socket = connect({ port: stage.port(), host: '127.0.0.1', allowHalfOpen: true });
  // The hub resets it if a module needs its place.
  socket.on('error', () => {});
  socket.write(
    generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: 'x', clean: true }),
  );
  const answer = await Promise.race([once(socket, 'data'), once(socket, 'close')]);
  assert.is(answer[0][3], 3, 'a client is refused with a CONNACK');
  return socket;
}

modules('clients leave the last connections to modules, also those that were refused and do not close', () =>
  withBroker(
    async stage => {
      for (let n = 0; n < CLIENTS; n++) {
        const client = await stage.client();
        assert.is(brief(await client.connect({ clientId: `c${n}` })), 'connack 0');
      }
      const sockets: Socket[] = [];
      for (let n = 0; n < 2 * moduleReserve(CLIENTS); n++) sockets.push(await refused(stage));
      const module = await stage.client();
      assert.is(brief(await module.connect({ clientId: 'm', ...(await credentials(stage)) })), 'connack 0');
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
