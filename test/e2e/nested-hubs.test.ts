import { connectAsync, type IPublishPacket } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, freePort, removeFolder, startHub, until } from '../harness/binary.ts';

/** Module that answers each line on its output `did`. */
const GATE = `#!/bin/sh
while read -r line; do echo "{\\"output\\":\\"did\\",\\"body\\":\\"$line\\",\\"properties\\":{\\"level\\":\\"5\\"}}"; done
`;

const nested = suite('e2e: nested hubs');

nested(
  'a command from the top hub reaches a module two hubs below, and the answer names this module',
  async () => {
    const [top, middle, edge] = [await freePort(), await freePort(), await freePort()];
    const listeners = (port: number) => [{ mqtt: `127.0.0.1:${port}` }];
    const upstream = (port: number) => ({
      url: `mqtt://127.0.0.1:${port}`,
      profile: 'skerry',
      down: ['commands/#'],
    });
    const site = {
      name: 'site',
      listeners: listeners(top),
      routes: {
        gate: "FROM topic('floor2/#') WHERE $childDevice = 'floor2/room7' AND $childModule = 'gate' AND $childOutput = 'did' INTO topic('alarm')",
        liar: "FROM topic('floor2/lie') WHERE $childDevice = 'floor2/floor2' AND $childModule = 'gate' INTO topic('liar')",
        forged:
          "FROM /messages/* WHERE $childDevice = 'floor2' AND $childModule = 'gate' INTO topic('forged')",
      },
    };
    const floor = {
      name: 'floor2',
      listeners: listeners(middle),
      upstream: upstream(top),
      routes: {
        down: 'FROM $upstream INTO topic("commands/open")',
        up: 'FROM /messages/* INTO $upstream',
      },
    };
    const room = {
      name: 'room7',
      listeners: listeners(edge),
      upstream: upstream(middle),
      modules: { gate: { exec: ['./gate.sh'], io: 'lines' } },
      routes: {
        down: 'FROM $upstream("commands/+") INTO BrokeredEndpoint("/modules/gate/inputs/in")',
        up: 'FROM /messages/modules/* INTO $upstream',
      },
    };
    const manifests = { 'site.json': site, 'floor.json': floor, 'room.json': room };
    const texts = Object.entries(manifests).map(([file, manifest]) => [file, JSON.stringify(manifest)]);
    const folder = folderWith({ ...Object.fromEntries(texts), 'gate.sh': GATE });
    const hubs = [await startHub(folder, 'site.json', `${folder}/site`)];
    const client = await connectAsync(`mqtt://127.0.0.1:${top}`, { protocolVersion: 5 });
    const received: IPublishPacket[] = [];
    client.on('message', (_topic, _body, packet) => received.push(packet));
    await client.subscribeAsync(['alarm', 'forged', 'liar']);
    try {
      for (const [file, name] of [
        ['floor.json', 'floor'],
        ['room.json', 'room'],
      ] as const) {
        hubs.push(await startHub(folder, file, `${folder}/${name}`));
        await until(`${name} is connected`, () => hubs.at(-1)?.log().includes('Connected to ') === true);
      }
      const liar = await connectAsync(`mqtt://127.0.0.1:${middle}`, { protocolVersion: 5 });
      const userProperties = { $childDevice: 'floor2', $childModule: 'gate', $childOutput: 'did' };
      await liar.publishAsync('lie', 'x', { qos: 1, properties: { userProperties } });
      await liar.endAsync();
      await until('the forged message has arrived', () => received.length > 0);
      await client.publishAsync('commands/open', 'open sesame', { qos: 1 });
      await until('the answer has arrived', () => received.length > 1);
      assert.equal(
        received.map(({ topic, payload }) => `${topic} ${payload}`),
        ['liar x', 'alarm open sesame'],
      );
      const [, answer] = received;
      assert.equal(Object.entries(answer?.properties?.userProperties ?? {}), [
        ['level', '5'],
        ['$childDevice', 'floor2/room7'],
        ['$childModule', 'gate'],
        ['$childOutput', 'did'],
      ]);
    } finally {
      await client.endAsync(true);
      for (const hub of hubs.toReversed()) await hub.end('SIGTERM');
      removeFolder(folder);
    }
  },
);

nested.run();
