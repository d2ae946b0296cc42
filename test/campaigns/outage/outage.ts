import mqtt from 'mqtt';
import { folderWith, freePort, removeFolder, startHub, until } from '../../harness/binary.ts';

/** Milliseconds, longer than the maximum reconnect delay of the forwarder. */
const QUIET = 70_000;

/** Result of an outage run. */
export type OutageReport = {
  readonly acknowledged: number;
  /** Acknowledged messages that did not arrive upstream. */
  readonly lost: number;
  /** Messages that first arrived upstream after a later message. */
  readonly outOfOrder: number;
  /** Messages that arrived upstream more than once, which at least once permits. */
  readonly repeated: number;
};

export type OutageSettings = {
  /** Duration of the parent's outage. */
  readonly seconds: number;
  /** True if the edge hub is killed with SIGKILL during the outage and started again. */
  readonly killHub: boolean;
};

/** Publishes at QoS 1 as fast as acknowledgements arrive, until it is stopped. */
function startLoad(port: number) {
  const acknowledged = new Set<number>();
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { clientId: 'load', reconnectPeriod: 100 });
  let next = 0;
  let waiting = 0;
  let stopped = false;
  const fill = (): void => {
    while (!stopped && waiting < 20) {
      const number = ++next;
      waiting++;
      client.publish('load/test', String(number), { qos: 1 }, error => {
        waiting--;
        if (!error) acknowledged.add(number);
        setTimeout(fill, 2);
      });
    }
  };
  fill();
  return {
    acknowledged,
    stop: async (): Promise<void> => {
      stopped = true;
      await until('all that was published is acknowledged', () => waiting === 0, 60);
      await client.endAsync();
    },
  };
}

/** Collects the numbers of the messages in the order of their arrival at the parent. */
async function startCollector(port: number) {
  const seen: number[] = [];
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
    clientId: 'collector',
    clean: false,
    reconnectPeriod: 100,
  });
  client.on('message', (_topic, body) => seen.push(Number(body.toString())));
  client.on('error', () => {});
  await client.subscribeAsync('edge/load/test', { qos: 1 });
  return { seen, close: () => client.endAsync() };
}

/**
 * Stops the parent hub under load for a while, starts it again, and compares acknowledged with received
 * messages.
 */
export async function outage({ seconds, killHub }: OutageSettings): Promise<OutageReport> {
  const [edgePort, parentPort] = [await freePort(), await freePort()];
  const folder = folderWith({
    'edge.json': JSON.stringify({
      name: 'edge',
      listeners: [{ mqtt: `127.0.0.1:${edgePort}` }],
      routes: { all: 'FROM topic("load/#") INTO $upstream' },
      upstream: { url: `mqtt://127.0.0.1:${parentPort}` },
    }),
    'parent.json': JSON.stringify({ name: 'parent', listeners: [{ mqtt: `127.0.0.1:${parentPort}` }] }),
  });
  const pause = (part: number): Promise<void> => new Promise(done => setTimeout(done, part * 1000));
  let parent = await startHub(folder, 'parent.json', 'parent');
  let edge = await startHub(folder, 'edge.json', 'edge');
  try {
    const collector = await startCollector(parentPort);
    const load = startLoad(edgePort);
    await pause(seconds / 4);
    await parent.end('SIGTERM');
    await pause(seconds / 2);
    if (killHub) {
      await edge.end('SIGKILL');
      edge = await startHub(folder, 'edge.json', 'edge');
    }
    await pause(seconds / 2);
    parent = await startHub(folder, 'parent.json', 'parent');
    await pause(seconds / 4);
    await load.stop();
    const missing = await countMissing(load.acknowledged, collector.seen);
    await collector.close();
    return { ...orderOf(collector.seen), acknowledged: load.acknowledged.size, lost: missing };
  } finally {
    await edge.end('SIGTERM');
    await parent.end('SIGTERM');
    removeFolder(folder);
  }
}

/** Number of acknowledged messages that are missing after QUIET milliseconds without a new message. */
async function countMissing(acknowledged: ReadonlySet<number>, seen: readonly number[]): Promise<number> {
  const missing = new Set(acknowledged);
  let read = 0;
  let last = performance.now();
  while (missing.size > 0 && performance.now() - last < QUIET) {
    if (read < seen.length) last = performance.now();
    for (; read < seen.length; read++) missing.delete(seen[read] ?? 0);
    await new Promise(done => setTimeout(done, 20));
  }
  return missing.size;
}

function orderOf(seen: readonly number[]): Pick<OutageReport, 'outOfOrder' | 'repeated'> {
  const known = new Set<number>();
  let highest = 0;
  let outOfOrder = 0;
  for (const number of seen) {
    if (!known.has(number) && number < highest) outOfOrder++;
    highest = Math.max(highest, number);
    known.add(number);
  }
  return { outOfOrder, repeated: seen.length - known.size };
}
