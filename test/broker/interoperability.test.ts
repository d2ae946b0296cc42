import { spawn, spawnSync } from 'node:child_process';
import mqtt from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../e2e/stage.ts';
import { onStage } from './stage.ts';

/** Runs a client of mosquitto's and resolves to what it printed. */
function mosquitto(name: 'pub' | 'sub', port: number, args: readonly string[]): Promise<string> {
  const child = spawn(`mosquitto_${name}`, ['-h', '127.0.0.1', '-p', String(port), ...args]);
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  return new Promise(resolve => child.once('close', () => resolve(out)));
}

const interoperability = suite('broker: clients nobody here wrote');

interoperability('mosquitto_pub and mosquitto_sub', async () => {
  if (spawnSync('mosquitto_sub', ['--help']).error !== undefined) {
    process.stdout.write('\nskipped: mosquitto-clients are not installed\n');
    return;
  }
  await onStage(async stage => {
    const reader = ['-i', 'reader', '-c', '-q', '1', '-t', 'a/#', '-v'];
    await mosquitto('sub', stage.port(), [...reader, '-E']);
    for (const [text, qos] of [
      ['one', '1'],
      ['two', '1'],
    ] as const) {
      await mosquitto('pub', stage.port(), ['-t', 'a/b', '-m', text, '-q', qos]);
    }
    assert.is(await mosquitto('sub', stage.port(), [...reader, '-C', '2', '-W', '10']), 'a/b one\na/b two\n');
  });
});

interoperability(
  'mqtt.js: 2,000 messages at QoS 1 through a persistent session, each once and in order',
  () =>
    onStage(async stage => {
      const address = `mqtt://127.0.0.1:${stage.port()}`;
      const reader = await mqtt.connectAsync(address, { clientId: 'reader', clean: false });
      const came: number[] = [];
      const all = new Promise<void>(resolve => {
        reader.on('message', (_topic, body) => {
          if (came.push(Number(body.toString())) === 2000) resolve();
        });
      });
      await reader.subscribeAsync('n', { qos: 1 });
      const sender = await mqtt.connectAsync(address);
      await Promise.all(
        Array.from({ length: 2000 }, (_, n) => sender.publishAsync('n', String(n), { qos: 1 })),
      );
      await all;
      assert.equal(
        came,
        Array.from({ length: 2000 }, (_, n) => n),
      );
      await Promise.all([reader.endAsync(), sender.endAsync()]);
    }),
);

interoperability(
  'mqtt.js: comes back by itself after a restart of the hub, and gets what it missed',
  async () => {
    const port = await freePort();
    const address = `mqtt://127.0.0.1:${port}`;
    await onStage(
      async stage => {
        const reader = await mqtt.connectAsync(address, {
          clientId: 'reader',
          clean: false,
          reconnectPeriod: 20,
        });
        const came: string[] = [];
        await reader.subscribeAsync('a/+', { qos: 1 });
        const all = new Promise<void>(resolve => {
          reader.on('message', (topic, body) => {
            // At least once: an acknowledgement that the restart cut off brings its message again.
            const text = `${topic} ${body}`;
            if (!came.includes(text) && came.push(text) === 3) resolve();
          });
        });
        const sender = await mqtt.connectAsync(address, { clientId: 'sender', reconnectPeriod: 20 });
        await sender.publishAsync('a/1', 'before', { qos: 1 });
        await stage.restart();
        await sender.publishAsync('a/2', 'after', { qos: 1 });
        await sender.publishAsync('a/3', 'after', { qos: 1 });
        await all;
        assert.equal(came, ['a/1 before', 'a/2 after', 'a/3 after']);
        await Promise.all([reader.endAsync(), sender.endAsync()]);
      },
      { manifest: { listeners: [{ mqtt: `127.0.0.1:${port}` }] } },
    );
  },
);

interoperability.run();
