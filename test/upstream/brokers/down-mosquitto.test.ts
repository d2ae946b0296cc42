import mqtt from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startBroker } from '../../harness/brokers/brokers.ts';
import { createUpstreamHarness } from '../../harness/upstream.ts';

const down = suite('upstream: what comes down from mosquitto');

down('what the hub sends up under a filter that it hears does not come back', async () => {
  const broker = await startBroker('mosquitto');
  if (broker === undefined) {
    process.stdout.write('skipped: mosquitto is not installed\n');
    return;
  }
  const stage = await createUpstreamHarness();
  const url = `mqtt://127.0.0.1:${broker.ports[0]}`;
  // A share must not ask for it: mosquitto ends the connection of who does.
  const filters = ['edge/#', '$share/hubs/others/#'];
  try {
    stage.start({ url, down: filters });
    const granted = (): boolean =>
      stage.queue.store.get('upstream/filters')?.toString() === filters.join('\n');
    await stage.until('it is subscribed', granted);
    await stage.append(['mine']);
    await stage.until('it is up', () => stage.forwarder().status().delivered === 1);
    const other = await mqtt.connectAsync(url);
    await other.publishAsync('edge/a/b', 'theirs', { qos: 1 });
    await other.publishAsync('others/a', 'shared', { qos: 1 });
    await other.endAsync();
    await stage.until('those of another are here', () => stage.down.length >= 2);
    assert.equal(
      stage.down.map(({ body }) => body.toString()),
      ['theirs', 'shared'],
    );
  } finally {
    await stage.finish();
    await broker.close();
  }
});

down.run();
