import mqtt from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, freePort, removeFolder, run, startHub, until } from '../../harness/binary.ts';
import type { Kind } from '../../harness/brokers/brokers.ts';
import { startBroker } from '../../harness/brokers/brokers.ts';

/** Expected number of log lines that a broker does not support QoS 2: one per start of the hub. */
const KINDS: readonly (readonly [Kind, number])[] = [
  ['mosquitto', 0],
  ['rabbitmq', 1],
  ['nats', 1],
];

const LINES = Array.from({ length: 20 }, (_, index) => String(index));

const offering = suite('upstream: exactlyOnce with real brokers');

for (const [kind, warnings] of KINDS) {
  offering(
    `${kind} receives all messages in order with exactlyOnce, at QoS 1 if the broker lacks QoS 2`,
    async () => {
      const broker = await startBroker(kind);
      if (broker === undefined) {
        process.stdout.write(`skipped: ${kind} is not installed\n`);
        return;
      }
      const port = await freePort();
      const folder = folderWith({
        'edge.json': JSON.stringify({
          name: 'edge',
          listeners: [{ mqtt: `127.0.0.1:${port}` }],
          routes: { all: 'FROM /messages/* INTO $upstream' },
          upstream: { url: `mqtt://127.0.0.1:${broker.ports[0]}`, exactlyOnce: true },
        }),
      });
      const seen: string[] = [];
      const reader = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.ports[0]}`, { clientId: 'reader' });
      reader.on('message', (_, body) => seen.push(body.toString()));
      await reader.subscribeAsync('edge/n', { qos: 1 });
      let hub = await startHub(folder, 'edge.json', 'edge');
      const data = `${folder}/edge`;
      try {
        for (let round = 1; round <= 2; round++) {
          const text = `${LINES.join('\n')}\n`;
          assert.is(run(['pub', '-p', String(port), '-t', 'n', '-q', '1', '-l'], text).code, 0);
          await until('all have arrived', () => seen.length >= round * LINES.length, 30);
          const status = (): string => run(['ps', '--data', data]).out;
          await until('all are delivered', () => / connected, 20 delivered/.test(status()));
          assert.is(hub.log().match(/does not support QoS 2/g)?.length ?? 0, warnings, hub.log());
          await hub.end('SIGTERM');
          if (round === 1) hub = await startHub(folder, 'edge.json', 'edge');
        }
        assert.equal(seen, [...LINES, ...LINES]);
      } finally {
        await hub.end('SIGKILL');
        await reader.endAsync(true);
        await broker.close();
        removeFolder(folder);
      }
    },
  );
}

offering.run();
