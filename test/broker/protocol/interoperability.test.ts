import { spawn, spawnSync } from 'node:child_process';
import mqtt from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort, until } from '../../harness/binary.ts';
import type { BrokerHarness } from '../../harness/broker.ts';
import { withBroker } from '../../harness/broker.ts';

/** Runs a mosquitto client and resolves to its standard output. */
function mosquitto(name: 'pub' | 'sub', port: number, args: readonly string[]): Promise<string> {
  const child = spawn(`mosquitto_${name}`, ['-h', '127.0.0.1', '-p', String(port), ...args]);
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  return new Promise(resolve => child.once('close', () => resolve(out)));
}

const hasMosquitto = spawnSync('mosquitto_sub', ['--help']).error === undefined;

function skip(): void {
  process.stdout.write('\nskipped: mosquitto-clients are not installed\n');
}

const interoperability = suite('broker: clients of other projects');

interoperability(
  'mosquitto_sub with a persistent session receives the messages of mosquitto_pub',
  async () => {
    if (!hasMosquitto) return skip();
    await withBroker(async broker => {
      const reader = ['-i', 'reader', '-c', '-q', '1', '-t', 'a/#', '-v'];
      await mosquitto('sub', broker.port(), [...reader, '-E']);
      for (const [text, qos] of [
        ['one', '1'],
        ['two', '1'],
      ] as const) {
        await mosquitto('pub', broker.port(), ['-t', 'a/b', '-m', text, '-q', qos]);
      }
      assert.is(
        await mosquitto('sub', broker.port(), [...reader, '-C', '2', '-W', '10']),
        'a/b one\na/b two\n',
      );
    });
  },
);

function subscriptionsOf(broker: BrokerHarness): number {
  return broker.hub().status().counts.broker.subscriptions;
}

for (const version of ['mqttv31', 'mqttv311', 'mqttv5']) {
  interoperability(`mosquitto clients use retained messages, QoS 2 and wills with ${version}`, async () => {
    if (!hasMosquitto) return skip();
    await withBroker(async broker => {
      const run = (name: 'pub' | 'sub', ...args: string[]): Promise<string> =>
        mosquitto(name, broker.port(), ['-V', version, ...args]);
      await run('pub', '-t', 'kept', '-m', 'one', '-r', '-q', '2');
      assert.is(await run('sub', '-t', 'kept', '-q', '2', '-C', '1', '-F', '%t %p %q %r'), 'kept one 2 1\n');
      const printed = run('sub', '-t', 'wills', '-q', '1', '-C', '1', '-W', '10');
      await until('the first client has subscribed', () => subscriptionsOf(broker) === 1);
      const withWill = spawn('mosquitto_sub', [
        ...['-h', '127.0.0.1', '-p', String(broker.port()), '-V', version, '-t', 'x'],
        ...['--will-topic', 'wills', '--will-payload', 'gone', '--will-qos', '1'],
      ]);
      await until('the client has subscribed', () => subscriptionsOf(broker) === 2);
      withWill.kill('SIGKILL');
      assert.is(await printed, 'gone\n');
    });
  });
}

interoperability('mosquitto clients use shared subscriptions and properties with MQTT 5', async () => {
  if (!hasMosquitto) return skip();
  await withBroker(async broker => {
    const run = (name: 'pub' | 'sub', ...args: string[]): Promise<string> =>
      mosquitto(name, broker.port(), ['-V', 'mqttv5', ...args]);
    const members = [1, 2].map(() => run('sub', '-t', '$share/g/jobs', '-q', '1', '-C', '2', '-W', '10'));
    await until('both members are connected', () => broker.hub().status().counts.broker.connections === 2);
    await until('the group has subscribed', () => subscriptionsOf(broker) === 1);
    for (const text of ['1', '2', '3', '4']) await run('pub', '-t', 'jobs', '-q', '1', '-m', text);
    const received = (await Promise.all(members)).join('').trim().split('\n').sort();
    assert.equal(received, ['1', '2', '3', '4']);
    const options = [
      '-D',
      'publish',
      'user-property',
      'unit',
      'C',
      '-D',
      'publish',
      'content-type',
      'text/plain',
    ];
    const printed = run('sub', '-t', 'options', '-C', '1', '-W', '10', '-F', '%p %C %P');
    await until('the client has subscribed', () => subscriptionsOf(broker) === 1);
    await run('pub', '-t', 'options', '-m', '21', ...options);
    assert.is(await printed, '21 text/plain unit:C\n');
  });
});

interoperability('mqtt.js receives 2,000 QoS 1 messages in a persistent session once and in order', () =>
  withBroker(async broker => {
    const address = `mqtt://127.0.0.1:${broker.port()}`;
    const reader = await mqtt.connectAsync(address, { clientId: 'reader', clean: false });
    const received: number[] = [];
    const all = new Promise<void>(resolve => {
      reader.on('message', (_topic, body) => {
        if (received.push(Number(body.toString())) === 2000) resolve();
      });
    });
    await reader.subscribeAsync('n', { qos: 1 });
    const sender = await mqtt.connectAsync(address);
    await Promise.all(
      Array.from({ length: 2000 }, (_, n) => sender.publishAsync('n', String(n), { qos: 1 })),
    );
    await all;
    assert.equal(
      received,
      Array.from({ length: 2000 }, (_, n) => n),
    );
    await Promise.all([reader.endAsync(), sender.endAsync()]);
  }),
);

interoperability(
  'mqtt.js reconnects after a restart of the hub and receives the messages that were stored meanwhile',
  async () => {
    const port = await freePort();
    const address = `mqtt://127.0.0.1:${port}`;
    await withBroker(
      async broker => {
        const reader = await mqtt.connectAsync(address, {
          clientId: 'reader',
          clean: false,
          reconnectPeriod: 20,
        });
        const received: string[] = [];
        await reader.subscribeAsync('a/+', { qos: 1 });
        const all = new Promise<void>(resolve => {
          reader.on('message', (topic, body) => {
            // A message is delivered again if the restart has lost its acknowledgement.
            const text = `${topic} ${body}`;
            if (!received.includes(text) && received.push(text) === 3) resolve();
          });
        });
        const sender = await mqtt.connectAsync(address, { clientId: 'sender', reconnectPeriod: 20 });
        await sender.publishAsync('a/1', 'before', { qos: 1 });
        await broker.restart();
        await sender.publishAsync('a/2', 'after', { qos: 1 });
        await sender.publishAsync('a/3', 'after', { qos: 1 });
        await all;
        assert.equal(received, ['a/1 before', 'a/2 after', 'a/3 after']);
        await Promise.all([reader.endAsync(), sender.endAsync()]);
      },
      { manifest: { listeners: [{ mqtt: `127.0.0.1:${port}` }] } },
    );
  },
);

interoperability.run();
