import { connect } from 'node:net';
import type { Clock } from '../core/clock.ts';
import { Failure, reasonOf } from '../core/errors.ts';
import { CLOSE_LINGER, CONNECT_TIMEOUT, MAX_PACKET_BYTES, MAX_SOCKET_BACKLOG_BYTES } from '../core/limits.ts';
import type { Message } from '../core/message.ts';
import { createOutput } from '../core/output.ts';
import type { Acknowledged } from '../mqtt/acknowledgement.ts';
import type { Answer } from '../mqtt/client.ts';
import { createClientFramer } from '../mqtt/client.ts';
import type { Dispatch } from '../mqtt/dispatch.ts';
import { encodePublish } from '../mqtt/dispatch.ts';
import type { Packet } from '../mqtt/packets.ts';
import { CONNACK, encode } from '../mqtt/packets.ts';
import type { Publish } from '../mqtt/publish.ts';

/** The version that it speaks. */
const VERSION = 4;

export type LinkSettings = {
  readonly host: string;
  readonly port: number;
  readonly clientId: string;
  readonly clean: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Seconds. */
  readonly keepAlive: number;
  readonly clock: Clock;
};

export type LinkHandler = {
  /** The server accepted the CONNECT. */
  readonly opened: () => void;
  readonly packet: (packet: Publish | Answer) => void;
  readonly acknowledged: Acknowledged;
  /** The socket can take more. */
  readonly writable: () => void;
  /** It is over, once; without a failure if `close` was asked for. */
  readonly closed: (failure: Failure | undefined) => void;
};

/** One connection to an MQTT server, as its client. */
export type Link = {
  readonly send: (packet: Packet) => void;
  /** False: the socket holds too much already. */
  readonly publish: (message: Message, dispatch: Dispatch) => boolean;
  readonly close: () => void;
};

/** Connects to an MQTT 3.1.1 server. Failures `upstream.unreachable` and `upstream.refused` come by `closed`. */
export function openLink(settings: LinkSettings, handler: LinkHandler): Link {
  const { host, port, clock, keepAlive } = settings;
  const where = `${host}:${port}`;
  const socket = connect({ host, port, noDelay: true });
  const started = clock.monotonic();
  let heard = started;
  let said = started;
  let accepted = false;
  let ended = false;

  const end = (failure: Failure | undefined): void => {
    if (ended) return;
    ended = true;
    stopWatch();
    if (failure === undefined) socket.destroySoon();
    else socket.destroy();
    const cancel = clock.after(CLOSE_LINGER, () => socket.destroy());
    socket.once('close', cancel);
    handler.closed(failure);
  };
  const lost = (reason: string): void =>
    end(new Failure('upstream.unreachable', `The connection to ${where} failed: ${reason}.`));

  const output = createOutput(socket);
  const write = (bytes: Buffer): void => {
    if (ended) return;
    said = clock.monotonic();
    output.write(bytes);
  };

  const receive = (packet: Publish | Answer): void => {
    heard = clock.monotonic();
    if (accepted) {
      if (packet.cmd !== 'pingresp') handler.packet(packet);
    } else if (packet.cmd !== 'connack') {
      lost('it does not answer as an MQTT server');
    } else if (packet.returnCode === CONNACK.accepted) {
      accepted = true;
      handler.opened();
    } else {
      end(
        new Failure(
          'upstream.refused',
          `${where} refused the connection: ${refusalText(packet.returnCode)}.`,
        ),
      );
    }
  };
  const framer = createClientFramer(MAX_PACKET_BYTES, VERSION, {
    packet: receive,
    acknowledged: (type, packetId, reasonCode) => {
      heard = clock.monotonic();
      if (accepted) handler.acknowledged(type, packetId, reasonCode);
    },
    broken: ({ reason }) => lost(reason),
  });

  // Pings a quiet link, and finds a dead one: a silence of one and a half keep-alives (MQTT 3.1.1, 3.1.2.10).
  const watch = (): void => {
    const now = clock.monotonic();
    const fault = faultAt(now);
    if (fault !== undefined) {
      lost(fault);
      return;
    }
    if (accepted && now - Math.min(heard, said) >= keepAlive * 750) write(encode({ cmd: 'pingreq' }));
    stopWatch = clock.after(accepted ? keepAlive * 250 : CONNECT_TIMEOUT, watch);
  };
  const faultAt = (now: number): string | undefined => {
    if (accepted) return now - heard >= keepAlive * 1500 ? 'it fell silent' : undefined;
    return now - started >= CONNECT_TIMEOUT ? 'no answer in time' : undefined;
  };
  let stopWatch = clock.after(CONNECT_TIMEOUT, watch);

  socket.once('connect', () => write(encode(connectPacket(settings))));
  socket.on('data', chunk => framer.push(chunk));
  socket.on('drain', () => handler.writable());
  socket.on('error', error => lost(reasonOf(error)));
  socket.on('close', () => lost('it was closed from there'));

  return {
    send: packet => write(encode(packet)),
    publish: (message, dispatch) => {
      if (ended || output.waiting() > MAX_SOCKET_BACKLOG_BYTES) return false;
      write(encodePublish(message, dispatch, VERSION));
      return true;
    },
    close: () => {
      if (accepted) write(encode({ cmd: 'disconnect' }));
      output.flush();
      end(undefined);
    },
  };
}

function connectPacket({ clientId, clean, username, password, keepAlive }: LinkSettings): Packet {
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId,
    clean,
    keepalive: keepAlive,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: Buffer.from(password) }),
  };
}

function refusalText(returnCode: number | undefined): string {
  switch (returnCode) {
    case CONNACK.unacceptableVersion:
      return 'it does not speak MQTT 3.1.1';
    case CONNACK.identifierRejected:
      return 'it does not take the client identifier';
    case CONNACK.serverUnavailable:
      return 'it is not available';
    case CONNACK.badCredentials:
    case CONNACK.notAuthorized:
      return 'user name or password are wrong or missing';
    default:
      return `return code ${returnCode ?? 'unknown'}`;
  }
}
