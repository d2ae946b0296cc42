import { once } from 'node:events';
import type { IClientOptions, MqttClient } from 'mqtt';
import mqtt from 'mqtt';

/** Connects once; rejects with what the hub, or TLS, has against it. */
export function enter(address: string, options: IClientOptions = {}): Promise<MqttClient> {
  return mqtt.connectAsync(address, { reconnectPeriod: 0, ...options }, false);
}

/** `in`, or why not. */
export async function outcome(address: string, options: IClientOptions = {}): Promise<string> {
  try {
    const client = await enter(address, options);
    await client.endAsync();
    return 'in';
  } catch (thrown) {
    return String(thrown);
  }
}

/** What a client hears when it publishes `body` to itself, at QoS 1. */
export function echo(client: MqttClient, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.once('message', (_topic, payload) => resolve(payload.toString()));
    client
      .subscribeAsync('echo', { qos: 1 })
      .then(() => client.publishAsync('echo', body, { qos: 1 }))
      .catch(reject);
  });
}

/** Resolves when a connection has ended, however. */
export async function ended(socket: NodeJS.ReadableStream): Promise<void> {
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'close');
}
