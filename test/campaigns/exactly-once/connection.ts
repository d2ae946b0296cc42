import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { Packet } from 'mqtt-packet';
import { generate, parser } from 'mqtt-packet';

/** Milliseconds until a lost connection is opened again. */
const RECONNECT = 20;

export type ExactSettings = {
  readonly port: number;
  readonly clientId: string;
  readonly protocolVersion: 4 | 5;
  /** True if each connection has a clean session. */
  readonly clean: boolean;
};

/** Client that reconnects after each lost connection. */
export type ExactConnection = {
  /** Sends a packet. Does nothing without a connection. */
  readonly send: (packet: Packet) => void;
  /** Number of times that the hub had lost a session of which it had sent more than CONNACK. */
  readonly forgotten: () => number;
  /** Closes the connection without DISCONNECT. The client reconnects. */
  readonly cut: () => void;
  readonly close: () => void;
};

/** Calls `began` at each CONNACK and `take` with each later packet. */
export function connectExactly(
  settings: ExactSettings,
  began: () => void,
  take: (packet: Packet) => void,
): ExactConnection {
  const { port, protocolVersion, clean } = settings;
  let socket: Socket | undefined;
  let connected = false;
  let known = false;
  let forgotten = 0;
  let closed = false;

  const arrive = (packet: Packet): void => {
    if (packet.cmd !== 'connack') {
      known = true;
      take(packet);
      return;
    }
    if (known && !clean && !packet.sessionPresent) forgotten++;
    connected = true;
    began();
  };

  const open = (): void => {
    if (closed) return;
    const on = connect(port, '127.0.0.1');
    const packets = parser({ protocolVersion });
    packets.on('packet', packet => {
      if (socket === on) arrive(packet);
    });
    on.on('data', chunk => packets.parse(chunk));
    on.on('error', () => on.destroy());
    on.once('close', () => {
      connected = false;
      setTimeout(open, RECONNECT);
    });
    on.write(connectPacket(settings));
    socket = on;
  };
  open();

  return {
    send: packet => {
      if (connected) socket?.write(generate(packet, { protocolVersion }));
    },
    forgotten: () => forgotten,
    cut: () => socket?.destroy(),
    close: () => {
      closed = true;
      socket?.destroy();
    },
  };
}

function connectPacket({ clientId, protocolVersion, clean }: ExactSettings): Buffer {
  return generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion,
    clientId,
    clean,
    keepalive: 0,
    ...(protocolVersion === 5 && !clean ? { properties: { sessionExpiryInterval: 3600 } } : {}),
  });
}
