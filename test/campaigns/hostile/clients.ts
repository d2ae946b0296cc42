import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { Packet } from 'mqtt-packet';
import { generate } from 'mqtt-packet';
import type { SeededRandom } from '../../harness/seeded-random.ts';
import type { Role } from './roles.ts';
import { limitOpen, pauseOf } from './roles.ts';

/** Behaviour of a hostile client's connection until it is destroyed. */
type Attack = (socket: Socket, dice: SeededRandom) => void;

function packet(of: Packet, version = 4): Buffer {
  return generate(of, { protocolVersion: version });
}

function connectPacket(clientId: string, clean: boolean, version: 4 | 5 = 4): Buffer {
  const properties = version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {};
  return packet(
    {
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: version,
      clientId,
      clean,
      keepalive: 0,
      ...properties,
    },
    version,
  );
}

function subscribePacket(topics: readonly string[]): Buffer {
  return packet({ cmd: 'subscribe', messageId: 1, subscriptions: topics.map(topic => ({ topic, qos: 1 })) });
}

function publishPacket(
  topic: string,
  bytes: number,
  qos: 0 | 1 | 2,
  messageId: number,
  retain = false,
): Buffer {
  return packet({
    cmd: 'publish',
    topic,
    payload: Buffer.alloc(bytes, 0x61),
    qos,
    messageId,
    dup: false,
    retain,
  });
}

/** Returns one of a few client identifiers, so that clients take over each other's sessions. */
function someone(dice: SeededRandom): string {
  return `hostile-${dice.below(20)}`;
}

function noise(dice: SeededRandom, bytes: number): Buffer {
  const all = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at++) all[at] = dice.below(256);
  return all;
}

const ATTACKS: readonly [Attack, ...Attack[]] = [
  // Bytes that are not MQTT.
  (socket, dice) => socket.write(noise(dice, 2_000)),
  // An incomplete CONNECT.
  (socket, dice) => socket.write(connectPacket(someone(dice), true).subarray(0, 5 + dice.below(10))),
  // An incomplete packet of the maximum size.
  (socket, dice) => {
    socket.write(connectPacket(someone(dice), true));
    socket.write(Buffer.concat([Buffer.from([0x30, 0xff, 0xff, 0x3f]), Buffer.alloc(100_000)]));
  },
  // A QoS 2 message that is sent repeatedly.
  (socket, dice) => {
    socket.write(connectPacket(someone(dice), false));
    const one = publishPacket('kept/x', 10, 2, 7);
    one[0] = 0x3c;
    socket.write(Buffer.concat(Array.from({ length: 9_000 }, () => one)));
  },
  // Identifiers that are never released.
  (socket, dice) => {
    socket.write(connectPacket(someone(dice), false));
    for (let id = 1; id < 5_000; id++) socket.write(publishPacket('kept/x', 10, 2, id));
  },
  // Requests whose answers are not read.
  (socket, dice) => {
    socket.write(connectPacket(someone(dice), true));
    socket.pause();
    for (let n = 0; n < 20; n++) socket.write(Buffer.alloc(1 << 17, Buffer.from([0xc0, 0])));
  },
  // Many subscriptions with many levels in a persistent session.
  (socket, dice) => {
    socket.write(connectPacket(someone(dice), false));
    const deep = Array.from({ length: 128 }, () => dice.below(1_000).toString(36)).join('/');
    for (let n = 0; n < 50; n++)
      socket.write(
        subscribePacket(Array.from({ length: 20 }, (_, at) => `${n}/${at}/${deep}`.slice(0, 500))),
      );
  },
  // Subscriptions that match all retained messages.
  (socket, dice) => {
    socket.write(connectPacket(someone(dice), true));
    for (let n = 0; n < 50; n++)
      socket.write(publishPacket(`retained/${dice.below(500)}`, dice.below(2_000), 0, 0, true));
    for (let n = 0; n < 200; n++) socket.write(subscribePacket(['#', '+/#', 'retained/#', '+/+']));
  },
  // A flood at QoS 1 without waiting for acknowledgements.
  (socket, dice) => {
    socket.write(connectPacket(someone(dice), true));
    for (let id = 1; id < 400; id++) socket.write(publishPacket('kept/x', dice.below(20_000), 1, id));
  },
  // A flood at QoS 0, or a subscriber of all topics that does not read.
  (socket, dice) => {
    socket.write(connectPacket(someone(dice), true));
    if (dice.oneIn(2)) {
      socket.write(subscribePacket(['#']));
      socket.pause();
    } else for (let n = 0; n < 400; n++) socket.write(publishPacket('flood/x', dice.below(20_000), 0, 0));
  },
  // Many persistent sessions.
  (socket, dice) => {
    socket.write(connectPacket(`session-${dice.below(5_000)}`, false));
    socket.write(subscribePacket([`kept/${dice.below(100)}`]));
    socket.end(packet({ cmd: 'disconnect' }));
  },
  // Acknowledgements without messages.
  (socket, dice) => {
    socket.write(connectPacket(someone(dice), false, 5));
    for (let id = 1; id < 2_000; id++)
      socket.write(packet({ cmd: dice.pick(['puback', 'pubrec', 'pubrel', 'pubcomp']), messageId: id }, 5));
  },
  // Packets with random changes.
  (socket, dice) => {
    const bytes = Buffer.concat([
      connectPacket(someone(dice), dice.oneIn(2), 5),
      publishPacket('kept/x', 100, 1, 1),
      subscribePacket(['a/#', '$share/g/b']),
    ]);
    for (let n = 0; n < 5; n++) bytes[dice.below(bytes.length)] = dice.below(256);
    socket.write(bytes);
  },
];

/** Maximum concurrent connections. More would only slow down the test process. */
const CONNECTIONS = 60;

/** Clients that misbehave. Some stay connected for a while. */
export const hostileClients: Role = async ({ port, dice, over }) => {
  const open = limitOpen(CONNECTIONS);
  while (!over()) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    if (!dice.oneIn(4)) socket.resume();
    dice.pick(ATTACKS)(socket, dice);
    open.add(() => socket.destroy());
    await pauseOf(20);
  }
  open.end();
};
