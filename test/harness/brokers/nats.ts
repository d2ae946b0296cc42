import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { folderWith, freePort, removeFolder } from '../binary.ts';
import { ask, readStream } from './nats-stream.ts';
import { acceptsClients, createServer, isInstalled, isListening } from './server.ts';
import type { Broker } from './types.ts';

const NATS = 'nats-server';
const NODES = 3;

/** Milliseconds between two checks of a node that does not accept clients yet. */
const POLL_MS = 100;

/** Stream in which NATS stores MQTT messages of QoS 1. */
const STREAM = '$MQTT_msgs';

/**
 * Settings of the stream, which keep every message for `max_age`. With its own settings NATS removes a
 * message when all sessions have it, and the version of Debian 12 also loses messages when a node is killed.
 */
const STREAM_SETTINGS = {
  name: STREAM,
  subjects: ['$MQTT.msgs.>'],
  retention: 'limits',
  storage: 'file',
  num_replicas: NODES,
  max_age: 7 * 24 * 3600 * 1e9,
};

export function isNatsInstalled(): boolean {
  return isInstalled(NATS, '--version');
}

/**
 * Creates a cluster of three NATS servers of Debian. MQTT state is on a majority of the nodes before it is
 * acknowledged.
 */
export async function createNats(): Promise<Broker> {
  const folder = folderWith({});
  const ports = async (): Promise<number[]> => {
    const all: number[] = [];
    while (all.length < NODES) all.push(await freePort());
    return all;
  };
  const [client, route, mqtt] = [await ports(), await ports(), await ports()];
  const routes = route.map(port => `"nats://127.0.0.1:${port}"`).join(', ');
  let made = false;
  const nodes = mqtt.map((port, node) => {
    const file = join(folder, `${node}.conf`);
    writeFileSync(
      file,
      `server_name: node${node}
listen: "127.0.0.1:${client[node]}"
jetstream { store_dir: "${join(folder, String(node))}", max_mem: 64M, max_file: 2G }
cluster { name: upstream, listen: "127.0.0.1:${route[node]}", routes: [${routes}] }
mqtt { listen: "127.0.0.1:${port}", ack_wait: "5s", max_ack_pending: 1000 }
`,
    );
    return createServer({
      name: `NATS ${node}`,
      command: NATS,
      arguments: ['-c', file],
      ready: () => (made ? acceptsClients(port) : isListening(client[node] ?? 0)),
    });
  });
  const each = async (node: number | undefined, act: (one: (typeof nodes)[number]) => Promise<void>) => {
    await Promise.all(nodes.filter((_, at) => node === undefined || at === node).map(act));
  };
  return {
    name: 'NATS',
    ports: mqtt,
    pids: () => nodes.flatMap(node => node.pid() ?? []),
    start: async node => {
      await each(node, one => one.start());
      if (made) return;
      await ask(client[0] ?? 0, `STREAM.CREATE.${STREAM}`, STREAM_SETTINGS);
      made = true;
      for (const port of mqtt) while (!(await acceptsClients(port))) await pause(POLL_MS);
    },
    end: (signal, node) => each(node, one => one.end(signal)),
    // The version in Debian 12 closes the connection of a client that publishes at QoS 2.
    exact: 'no',
    account: async () => {
      const bodies = await readStream(client[0] ?? 0, STREAM);
      return { waiting: bodies.length, bodies };
    },
    close: async () => {
      await each(undefined, one => one.end('SIGKILL'));
      removeFolder(folder);
    },
  };
}
