import mqtt from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startBroker } from '../../harness/brokers/brokers.ts';
import { createUpstreamHarness } from '../../harness/upstream.ts';

const down = suite('upstream: messages from mosquitto');

down(
  'a message that the hub publishes to mosquitto does not return through a subscription of the hub',
  async () => {
    const broker = await startBroker('mosquitto');
    if (broker === undefined) {
      process.stdout.write('skipped: mosquitto is not installed\n');
      return;
    }
    const harness = await createUpstreamHarness();
    const url = `mqtt://127.0.0.1:${broker.ports[0]}`;
    // A shared subscription must not set No Local: mosquitto would close the connection.
    const filters = ['edge/#', '$share/hubs/others/#'];
    try {
      harness.start({ url, down: filters });
      const granted = (): boolean =>
        harness.queue.store.get('upstream/filters')?.toString() === filters.join('\n');
      await harness.until('it is subscribed', granted);
      await harness.append(['mine']);
      await harness.until('it is up', () => harness.forwarder().status().delivered === 1);
      const other = await mqtt.connectAsync(url);
      await other.publishAsync('edge/a/b', 'theirs', { qos: 1 });
      await other.publishAsync('others/a', 'shared', { qos: 1 });
      await other.endAsync();
      await harness.until('those of another are here', () => harness.down.length >= 2);
      assert.equal(
        harness.down.map(({ body }) => body.toString()),
        ['theirs', 'shared'],
      );
    } finally {
      await harness.finish();
      await broker.close();
    }
  },
);

down.run();
