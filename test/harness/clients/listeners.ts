import type { Readable } from 'node:stream';
import type { IClientOptions, MqttClient } from 'mqtt';
import mqtt from 'mqtt';

/** Connects once. Rejects with the error of the hub or of TLS. */
export function enter(address: string, options: IClientOptions = {}): Promise<MqttClient> {
  return mqtt.connectAsync(address, { reconnectPeriod: 0, ...options }, false);
}

/** Resolves to `in` if the client could connect, otherwise to the error. */
export async function outcome(address: string, options: IClientOptions = {}): Promise<string> {
  try {
    const client = await enter(address, options);
    await client.endAsync();
    return 'in';
  } catch (thrown) {
    return String(thrown);
  }
}

/** Publishes `body` to itself at QoS 1. Resolves to what it receives. */
export function echo(client: MqttClient, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.once('message', (_topic, payload) => resolve(payload.toString()));
    client
      .subscribeAsync('echo', { qos: 1 })
      .then(() => client.publishAsync('echo', body, { qos: 1 }))
      .catch(reject);
  });
}

/**
 * Resolves when a connection has closed, also by an error. A server that closes with unread bytes resets the
 * connection, and `once` of node:events would reject then.
 */
export async function ended(socket: Readable): Promise<void> {
  socket.on('error', () => {}).resume();
  if (!socket.closed) await new Promise(resolve => socket.once('close', resolve));
}
