import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { createServer as createSecureServer } from 'node:tls';
import type { Packet } from 'mqtt-packet';
import { generate, parser } from 'mqtt-packet';

/** Connection accepted by a scripted server. */
export type ServerConnection = {
  readonly socket: Socket;
  /** Received packets in order. */
  readonly packets: Packet[];
  readonly send: (packet: Packet) => void;
};

/** Called with each packet, its connection and the index of the connection. */
export type Script = (packet: Packet, connection: ServerConnection, index: number) => void;

/** A scripted MQTT server. It shares no protocol code with the hub. */
export type Server = {
  readonly port: number;
  readonly connections: ServerConnection[];
  /** Bodies of all received messages, including duplicates. */
  readonly bodies: () => string[];
  readonly close: () => Promise<void>;
};

/** Starts a server that speaks one version of MQTT and answers by `script`. */
export function startServer(script: Script, port = 0, version: 4 | 5 = 5, tls?: TlsOptions): Promise<Server> {
  const connections: ServerConnection[] = [];
  const take = (socket: Socket): void => {
    const index = connections.length;
    const connection: ServerConnection = {
      socket,
      packets: [],
      send: packet => socket.write(generate(packet, { protocolVersion: version })),
    };
    connections.push(connection);
    const reader = parser({ protocolVersion: version });
    reader.on('packet', packet => {
      connection.packets.push(packet);
      script(packet, connection, index);
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
        connections,
        bodies: () => connections.flatMap(connection => connection.packets.flatMap(bodyOf)),
        close: () =>
          new Promise(closed => {
            for (const { socket } of connections) socket.destroy();
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

/** Accepts a client with CONNACK. */
export function sendConnack(
  connection: ServerConnection,
  properties: object = {},
  sessionPresent = false,
): void {
  connection.send({ cmd: 'connack', reasonCode: 0, returnCode: 0, sessionPresent, properties });
}

/** Script that accepts every packet, at QoS 1 and 2. */
export const acceptAll: Script = (packet, connection) => {
  const messageId = packet.messageId ?? 0;
  if (packet.cmd === 'connect') sendConnack(connection);
  else if (packet.cmd === 'publish')
    connection.send({ cmd: packet.qos === 2 ? 'pubrec' : 'puback', messageId });
  else if (packet.cmd === 'pubrel') connection.send({ cmd: 'pubcomp', messageId });
  else if (packet.cmd === 'pingreq') connection.send({ cmd: 'pingresp' });
  else if (packet.cmd === 'subscribe')
    connection.send({ cmd: 'suback', messageId, granted: packet.subscriptions.map(({ qos }) => qos) });
  else if (packet.cmd === 'unsubscribe')
    connection.send({ cmd: 'unsuback', messageId, granted: packet.unsubscriptions.map(() => 0) });
};
