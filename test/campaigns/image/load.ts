import { connectAsync, connect as connectTo, type IClientOptions, type MqttClient } from 'mqtt';
import { USER } from './packs.ts';

const TOPIC = 'load/number';

/** Messages that are sent and not acknowledged. */
const WINDOW = 20;

/** Milliseconds without a message after which all messages have arrived. */
const QUIET_MS = 10_000;

function optionsOf(port: number, clientId: string, clean: boolean): IClientOptions {
  return {
    host: '127.0.0.1',
    port,
    clientId,
    clean,
    username: USER.name,
    password: USER.password,
    reconnectPeriod: 0,
    connectTimeout: 60_000,
  };
}

async function connect(port: number, clientId: string, clean: boolean): Promise<MqttClient> {
  const client = await connectAsync(optionsOf(port, clientId, clean));
  // A power cut ends the connection.
  client.on('error', () => {});
  return client;
}

/** Creates the session of the receiver, whose messages wait on the device. */
export async function subscribe(port: number): Promise<void> {
  const client = await connect(port, 'receiver', false);
  await client.subscribeAsync(TOPIC, { qos: 1 });
  await client.endAsync();
}

/** Publishes rising numbers from `first` on at QoS 1 until `stop` is called. */
export type Publisher = {
  /** Ends the connection. Returns the first number that was not sent. */
  readonly stop: () => number;
  /** Numbers that the device acknowledged. */
  readonly acknowledged: ReadonlySet<number>;
};

export async function startPublisher(port: number, first: number): Promise<Publisher> {
  const client = await connect(port, 'publisher', true);
  const acknowledged = new Set<number>();
  let next = first;
  let isStopped = false;
  const send = (): void => {
    if (isStopped) return;
    const number = next++;
    client.publish(TOPIC, String(number), { qos: 1 }, error => {
      if (error) return;
      acknowledged.add(number);
      send();
    });
  };
  for (let count = 0; count < WINDOW; count++) send();
  return {
    stop: () => {
      isStopped = true;
      client.end(true);
      return next;
    },
    acknowledged,
  };
}

/** Resolves to the numbers that waited for the receiver. */
export function receive(port: number): Promise<Set<number>> {
  const received = new Set<number>();
  const client = connectTo(optionsOf(port, 'receiver', false));
  return new Promise((done, fail) => {
    const finish = (): void => void client.end(true, () => done(received));
    let timer = setTimeout(finish, QUIET_MS);
    client.on('error', fail);
    client.on('message', (_topic, body) => {
      received.add(Number(body));
      clearTimeout(timer);
      timer = setTimeout(finish, QUIET_MS);
    });
  });
}
