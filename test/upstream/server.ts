import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { createServer as createSecureServer } from 'node:tls';
import type { Packet } from 'mqtt-packet';
import { generate, parser } from 'mqtt-packet';

/** Connection accepted by a scripted server. */
export type Guest = {
  readonly socket: Socket;
  /** Received packets in order. */
  readonly packets: Packet[];
  readonly send: (packet: Packet) => void;
};

export type Script = (packet: Packet, guest: Guest, index: number) => void;

/** A server that does what a test says: nothing that the hub speaks with is of the hub. */
export type Server = {
  readonly port: number;
  readonly guests: Guest[];
  /** Bodies of all that was published, DUPs included. */
  readonly bodies: () => string[];
  readonly close: () => Promise<void>;
};

/** `script` is called with each packet, and the number of the connection that it came on. */
export function startServer(script: Script, port = 0, version: 4 | 5 = 5, tls?: TlsOptions): Promise<Server> {
  const guests: Guest[] = [];
  const take = (socket: Socket): void => {
    const index = guests.length;
    const guest: Guest = {
      socket,
      packets: [],
      send: packet => socket.write(generate(packet, { protocolVersion: version })),
    };
    guests.push(guest);
    const reader = parser({ protocolVersion: version });
    reader.on('packet', packet => {
      guest.packets.push(packet);
      script(packet, guest, index);
    });
    reader.on('error', () => socket.destroy());
    socket.on('data', chunk => reader.parse(chunk));
    socket.on('error', () => {});
  };
  const server = tls === undefined ? createServer(take) : createSecureServer(tls, take);
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      done({
        port: isAddress(address) ? address.port : 0,
        guests,
        bodies: () => guests.flatMap(guest => guest.packets.flatMap(bodyOf)),
        close: () =>
          new Promise(closed => {
            for (const { socket } of guests) socket.destroy();
            server.close(() => closed());
          }),
      });
    });
  });
}

function isAddress(address: unknown): address is AddressInfo {
  return typeof address === 'object' && address !== null && 'port' in address;
}

function bodyOf(packet: Packet): string[] {
  return packet.cmd === 'publish' ? [packet.payload.toString()] : [];
}

/** Takes a client in. */
export function welcome(guest: Guest, properties: object = {}, sessionPresent = false): void {
  guest.send({ cmd: 'connack', reasonCode: 0, returnCode: 0, sessionPresent, properties });
}

/** A script that takes in all that comes, at QoS 1 and 2. */
export const friendly: Script = (packet, guest) => {
  const messageId = packet.messageId ?? 0;
  if (packet.cmd === 'connect') welcome(guest);
  else if (packet.cmd === 'publish') guest.send({ cmd: packet.qos === 2 ? 'pubrec' : 'puback', messageId });
  else if (packet.cmd === 'pubrel') guest.send({ cmd: 'pubcomp', messageId });
  else if (packet.cmd === 'pingreq') guest.send({ cmd: 'pingresp' });
  else if (packet.cmd === 'subscribe')
    guest.send({ cmd: 'suback', messageId, granted: packet.subscriptions.map(({ qos }) => qos) });
  else if (packet.cmd === 'unsubscribe')
    guest.send({ cmd: 'unsuback', messageId, granted: packet.unsubscriptions.map(() => 0) });
};
