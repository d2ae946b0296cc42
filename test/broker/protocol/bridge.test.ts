import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mqtt from 'mqtt';
import type { Packet } from 'mqtt-packet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../../harness/binary.ts';
import type { BrokerHarness, Client } from '../../harness/broker.ts';
import { brief, withBroker } from '../../harness/broker.ts';

const MOSQUITTO = '/usr/sbin/mosquitto';
const hasMosquitto = spawnSync(MOSQUITTO, ['-h']).error === undefined;
if (!hasMosquitto) process.stdout.write('\nskipped: mosquitto is not installed\n');

const STATE = '$SYS/broker/connection/box/state';

const bridge = suite('broker: bridges');

/** CONNECT of MQTT 3.1 or 3.1.1 from a bridge called `box`, with its state as a retained will. */
function connectOf(level: 3 | 4, willTopic = STATE): Packet {
  const packet: Packet & { bridgeMode: boolean } = {
    cmd: 'connect',
    protocolId: level === 3 ? 'MQIsdp' : 'MQTT',
    protocolVersion: level,
    bridgeMode: true,
    clientId: 'box',
    clean: true,
    keepalive: 0,
    will: { topic: willTopic, payload: Buffer.from('0'), qos: 1, retain: true },
  };
  return packet;
}

for (const level of [3, 4] as const) {
  bridge(`a bridge with protocol level 0x8${level} does not receive the messages that it has published`, () =>
    withBroker(async broker => {
      const watcher = await broker.client();
      await watcher.connect({ clientId: 'watcher' });
      await watcher.subscribe('$SYS/broker/connection/#', 0);
      const box = await broker.client();
      box.send(connectOf(level));
      assert.is(brief(await box.next()), 'connack 0');
      await box.subscribe('#', 1);
      box.send({ cmd: 'publish', topic: STATE, payload: '1', qos: 0, dup: false, retain: true });
      box.publish('t', 'from the box', 0);
      assert.equal(await box.roundTrip(), []);
      assert.equal(await watcher.roundTrip(), [`${STATE} 1 q0`]);
      watcher.send({ cmd: 'publish', topic: 't', payload: 'kept', qos: 0, dup: false, retain: true });
      const kept = await box.next();
      assert.is(kept !== 'closed' && kept.cmd === 'publish' && kept.retain, true);
      box.socket.destroy();
      assert.is(brief(await watcher.next()), `${STATE} 0 q0`);
    }),
  );
}

bridge('the connection state of a bridge can be published by this bridge and by no other client', () =>
  withBroker(async broker => {
    const other = await broker.client();
    other.send(connectOf(4, '$SYS/broker/connection/other/state'));
    assert.is(brief(await other.next()), 'connack 5');
    const box = await broker.client();
    box.send(connectOf(4));
    await box.next();
    box.publish('$SYS/broker/version', 'x', 0);
    assert.is(await box.next(), 'closed');
    const plain = await broker.client();
    await plain.connect({ clientId: 'box' });
    plain.publish(STATE, '1', 0);
    assert.is(await plain.next(), 'closed');
    const unknown = await broker.client();
    unknown.write(Buffer.from('\x10\x0d\x00\x04MQTT\x86\x02\x00\x00\x00\x01c', 'latin1'));
    assert.is(brief(await unknown.next()), 'connack 1');
  }),
);

type Bridged = { readonly process: ChildProcess; readonly port: number };

async function startBridge(broker: BrokerHarness, version: string): Promise<Bridged> {
  const port = await freePort();
  const file = join(broker.folder, 'mosquitto.conf');
  const settings = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'user root',
    'connection up',
    `address 127.0.0.1:${broker.port()}`,
    'remote_clientid box',
    'topic # both 1',
    'restart_timeout 1',
    ...(version === '' ? [] : [`bridge_protocol_version ${version}`]),
  ];
  writeFileSync(file, settings.join('\n'));
  return { process: spawn(MOSQUITTO, ['-c', file], { stdio: 'ignore' }), port };
}

/** Resolves to the received packets in brief, up to and including `text`. */
async function until(client: Client, text: string): Promise<string[]> {
  const received: string[] = [];
  while (!received.includes(text)) received.push(brief(await client.next()));
  return received;
}

for (const version of hasMosquitto ? ['', 'mqttv31', 'mqttv50'] : []) {
  bridge(
    `a mosquitto bridge with ${version || 'default settings'} forwards each message once in both directions`,
    () =>
      withBroker(async broker => {
        const watcher = await broker.client();
        await watcher.connect({ clientId: 'watcher' });
        await watcher.subscribe('$SYS/broker/connection/#', 0);
        const { process: mosquitto, port } = await startBridge(broker, version);
        const inside = mqtt.connect(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 50 });
        inside.on('error', () => {});
        const seen: string[] = [];
        inside.on('message', (topic, body) => seen.push(`${topic} ${body}`));
        try {
          await until(watcher, `${STATE} 1 q0`);
          await inside.subscribeAsync('#', { qos: 1 });
          // The bridge may not have subscribed yet.
          while (!seen.includes('probe .')) {
            watcher.publish('probe', '.', 0);
            await new Promise(resolve => setTimeout(resolve, 20));
          }
          await watcher.subscribe('#', 1);
          await inside.publishAsync('from/inside', 'x', { qos: 1 });
          await until(watcher, 'from/inside x q1');
          watcher.publish('from/hub', 'x', 1, 7);
          assert.equal(await until(watcher, 'puback'), ['from/hub x q1', 'puback']);
          await inside.publishAsync('end', '.', { qos: 1 });
          assert.equal(await until(watcher, 'end . q1'), ['end . q1']);
          watcher.publish('end/of/hub', '.', 1, 8);
          while (!seen.includes('end/of/hub .'))
            await new Promise(resolve => inside.once('message', resolve));
          // Messages of the two brokers have no common order.
          const others = seen.filter(text => text !== 'probe .').sort();
          assert.equal(others, ['end .', 'end/of/hub .', 'from/hub x', 'from/inside x']);
          mosquitto.kill('SIGKILL');
          await until(watcher, `${STATE} 0 q0`);
        } finally {
          inside.end(true);
          mosquitto.kill('SIGKILL');
        }
      }),
  );
}

bridge.run();
