import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderWith, freePort, removeFolder } from '../binary.ts';
import type { Server } from './server.ts';
import { acceptsClients, createServer, isListening } from './server.ts';
import type { Broker } from './types.ts';

/** Folder of the programs. The wrappers in /usr/sbin change the user and use the data of the system. */
const PROGRAMS = '/usr/lib/rabbitmq/bin';

export function isRabbitmqInstalled(): boolean {
  return existsSync(`${PROGRAMS}/rabbitmq-server`);
}

/**
 * Creates a RabbitMQ node of Debian with the MQTT plugin. The node has its own name, folder and Erlang name
 * server.
 */
export async function createRabbitmq(): Promise<Broker> {
  const [port, nodePort, namePort] = [await freePort(), await freePort(), await freePort()];
  const folder = folderWith({
    'rabbitmq.conf': [
      'listeners.tcp = none',
      `mqtt.listeners.tcp.1 = 127.0.0.1:${port}`,
      'mqtt.allow_anonymous = true',
      'mqtt.prefetch = 1000',
      '',
    ].join('\n'),
    enabled_plugins: '[rabbitmq_mqtt].\n',
  });
  for (const name of ['home', 'data', 'log']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'environment'), '');
  const environment = {
    HOME: join(folder, 'home'),
    LANG: 'C.UTF-8',
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(namePort),
    RABBITMQ_NODENAME: `skerry-${port}@localhost`,
    RABBITMQ_DIST_PORT: String(nodePort),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'environment'),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_LOGS: '-',
    // Erlang would start a name server that outlives the test.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-start_epmd false',
  };
  const names = createServer({
    name: "Erlang's name server",
    command: 'epmd',
    arguments: ['-port', String(namePort), '-address', '127.0.0.1'],
    ready: () => isListening(namePort),
  });
  const server = createServer({
    name: 'RabbitMQ',
    command: `${PROGRAMS}/rabbitmq-server`,
    arguments: [],
    environment,
    ready: () => acceptsClients(port),
  });
  return {
    name: 'RabbitMQ',
    ports: [port],
    pids: () => [server.pid() ?? []].flat(),
    start: async () => {
      await names.start();
      await server.start();
    },
    end: signal => server.end(signal),
    // The plugin accepts QoS 2 as QoS 1.
    exact: 'no',
    account: async clientId => ({ waiting: waitingIn(environment, clientId), bodies: undefined }),
    close: () => close([server, names], folder),
  };
}

async function close(servers: readonly Server[], folder: string): Promise<void> {
  for (const server of servers) await server.end('SIGKILL');
  removeFolder(folder);
}

/** Returns the number of messages in the durable queue of a session. */
function waitingIn(environment: Readonly<Record<string, string>>, clientId: string): number {
  const { stdout, stderr } = spawnSync(
    `${PROGRAMS}/rabbitmqctl`,
    ['--quiet', '--formatter', 'json', 'list_queues', 'name', 'durable', 'messages'],
    { env: { ...process.env, ...environment }, encoding: 'utf8' },
  );
  const queues: readonly { readonly name: string; readonly durable: boolean; readonly messages: number }[] =
    JSON.parse(stdout);
  const queue = queues.find(({ name }) => name === `mqtt-subscription-${clientId}qos1`);
  if (queue?.durable !== true) throw new Error(`RabbitMQ has no durable queue of ${clientId}. ${stderr}`);
  return queue.messages;
}
