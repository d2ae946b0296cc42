import mqtt from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../harness/binary.ts';
import type { Broker, Kind } from '../../harness/brokers/brokers.ts';
import { startBroker } from '../../harness/brokers/brokers.ts';

const KINDS: readonly Kind[] = ['mosquitto', 'rabbitmq', 'nats'];

const numbers = Array.from({ length: 50 }, (_, index) => `m ${index}`);

async function connected({ ports }: Broker, clientId: string, node = 0): Promise<mqtt.MqttClient> {
  return mqtt.connectAsync(`mqtt://127.0.0.1:${ports[node]}`, { clientId, clean: false, reconnectPeriod: 0 });
}

const brokers = suite('upstream: brokers of the tests');

for (const kind of KINDS) {
  brokers(
    `${kind} keeps acknowledged messages of an offline session across a restart and a SIGKILL`,
    async () => {
      const broker = await startBroker(kind);
      if (broker === undefined) {
        process.stdout.write(`skipped: ${kind} is not installed\n`);
        return;
      }
      try {
        const reader = await connected(broker, 'kept');
        await reader.subscribeAsync('edge/#', { qos: 1 });
        await reader.endAsync();
        const writer = await connected(broker, 'writer', broker.ports.length - 1);
        for (const body of numbers) await writer.publishAsync('edge/load', body, { qos: 1 });
        await writer.endAsync();
        if (broker.account !== undefined) {
          const { waiting, bodies } = await broker.account('kept');
          assert.is(waiting, numbers.length);
          if (bodies !== undefined) assert.equal(bodies, numbers);
        }
        await broker.end('SIGTERM');
        assert.equal(broker.pids(), []);
        await broker.start();
        await broker.end('SIGKILL', 0);
        await broker.start();
        const seen: string[] = [];
        const again = mqtt.connect(`mqtt://127.0.0.1:${broker.ports[0]}`, { clientId: 'kept', clean: false });
        again.on('message', (_, body) => seen.push(body.toString()));
        await until('all that was kept has come', () => new Set(seen).size === numbers.length, 30);
        assert.equal([...new Set(seen)], numbers);
        await again.endAsync();
      } finally {
        await broker.close();
      }
    },
  );
}

brokers.run();
