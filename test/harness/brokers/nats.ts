import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { folderWith, freePort, removeFolder } from '../binary.ts';
import { ask, readStream } from './nats-stream.ts';
import { createServer, installed, opens, takesClients } from './server.ts';
import type { Broker } from './types.ts';

const NATS = 'nats-server';
const NODES = 3;

/** Milliseconds between two looks at a node that does not take clients yet. */
const LOOK_EVERY = 100;

/** The stream that the MQTT side of NATS keeps messages of QoS 1 in. */
const STREAM = '$MQTT_msgs';

/**
 * As it makes the stream itself, a message goes once all sessions have it; in Debian 12's version one that a
 * session still waits for goes too when a node dies. Made before by somebody else, it keeps all for its time.
 */
const KEEPING = {
  name: STREAM,
  subjects: ['$MQTT.msgs.>'],
  retention: 'limits',
  storage: 'file',
  num_replicas: NODES,
  max_age: 7 * 24 * 3600 * 1e9,
};

export function natsIsThere(): boolean {
  return installed(NATS, '--version');
}

/**
 * A cluster of three of Debian's NATS servers: all that MQTT keeps is on a majority of them before it is
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
      ready: () => (made ? takesClients(port) : opens(client[node] ?? 0)),
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
      await ask(client[0] ?? 0, `STREAM.CREATE.${STREAM}`, KEEPING);
      made = true;
      for (const port of mqtt) while (!(await takesClients(port))) await pause(LOOK_EVERY);
    },
    end: (signal, node) => each(node, one => one.end(signal)),
    // The version in Debian 12 closes the connection of who publishes at QoS 2.
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
