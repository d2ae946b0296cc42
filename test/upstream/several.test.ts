import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HubStatus } from '../../src/hub/status.ts';
import { folderWith, freePort, removeFolder, run, startHub, until } from '../harness/binary.ts';
import { withBroker } from '../harness/broker.ts';

const COUNT = 50;

/** Subscribes a persistent session to all topics and collects the bodies of its messages. */
async function readAll(port: number): Promise<{ readonly client: MqttClient; readonly bodies: string[] }> {
  const bodies: string[] = [];
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
    clientId: 'reader',
    clean: false,
    reconnectPeriod: 100,
  });
  client.on('message', (_topic, body) => bodies.push(body.toString()));
  client.on('error', () => {});
  await client.subscribeAsync('#', { qos: 1 });
  return { client, bodies };
}

const texts = (...prefixes: readonly string[]): string[] =>
  prefixes.flatMap(prefix => Array.from({ length: COUNT }, (_, index) => `${prefix}${index}`)).sort();

const several = suite('upstream: several upstreams of one hub');

several(
  'messages for an unreachable upstream wait in the queue and are never sent to another upstream',
  async () => {
    const [edgePort, sitePort, cloudPort] = [await freePort(), await freePort(), await freePort()];
    const hubOf = (name: string, port: number): object => ({
      name,
      listeners: [{ mqtt: `127.0.0.1:${port}` }],
    });
    const toSite = { url: `mqtt://127.0.0.1:${sitePort}`, profile: 'skerry', down: ['orders/#'] };
    const edgeOf = (cloud: object): object => ({
      ...hubOf('edge', edgePort),
      deployment: { healthyFor: '200ms' },
      upstreams: {
        upstream: toSite,
        cloud: { url: `mqtt://127.0.0.1:${cloudPort}`, exactlyOnce: true, down: ['orders/#'], ...cloud },
      },
      routes: {
        site: 'FROM topic("a/#") INTO $upstream',
        cloud: 'FROM topic("b/#") INTO $upstream/cloud',
        bothSite: 'FROM topic("c/#") INTO $upstream/upstream',
        bothCloud: 'FROM topic("c/#") INTO $upstream/cloud',
        fromSite: 'FROM $upstream INTO topic("from/site")',
        fromCloud: 'FROM $upstream/cloud("orders/+") INTO topic("from/cloud")',
      },
    });
    const folder = folderWith({
      'site.json': JSON.stringify(hubOf('site', sitePort)),
      'cloud.json': JSON.stringify(hubOf('cloud', cloudPort)),
      'edge.json': JSON.stringify(edgeOf({})),
      'later.json': JSON.stringify(edgeOf({ window: 5 })),
      'without.json': JSON.stringify({ ...edgeOf({}), upstreams: undefined, upstream: toSite, routes: {} }),
    });
    const data = `${folder}/edge`;
    const site = await startHub(folder, 'site.json', 'site');
    let cloud = await startHub(folder, 'cloud.json', 'cloud');
    const readers = [await readAll(sitePort), await readAll(cloudPort)] as const;
    const [atSite, atCloud] = readers;
    await cloud.end('SIGKILL');
    let edge = await startHub(folder, 'edge.json', data);
    const local = await connectAsync(`mqtt://127.0.0.1:${edgePort}`, { reconnectPeriod: 100 });
    local.on('error', () => {});
    const seen: string[] = [];
    local.on('message', (topic, body) => seen.push(`${topic} ${body}`));
    await local.subscribeAsync('from/#', { qos: 1 });
    const statusOf = (name: string): HubStatus['upstreams'][number] | undefined => {
      const status: HubStatus = JSON.parse(run(['ps', '--json', '--data', data]).out);
      return status.upstreams.find(one => one.name === name);
    };
    const sys = (topic: string): string =>
      run(['sub', '-p', String(edgePort), '-t', `$SYS/${topic}`, '-C', '1']).out.trim();
    try {
      const publish = (prefix: string) =>
        texts(prefix).map(text => local.publishAsync(`${prefix}/x`, text, { qos: 1 }));
      await Promise.all(['a', 'b', 'c'].flatMap(publish));
      await until('the site has its own', () => atSite.bodies.length >= 2 * COUNT);
      await until('all of it is acknowledged', () => statusOf('upstream')?.delivered === 2 * COUNT);
      assert.equal(atSite.bodies.toSorted(), texts('a', 'c'));
      await until('the cloud was tried', () => statusOf('cloud')?.lastError !== undefined);
      const ps = run(['ps', '--data', data]).out;
      assert.match(ps, /^upstream 127\S+: connected, 100 delivered/m);
      assert.match(ps, /^upstream "cloud" 127\S+: \w+, 0 delivered, 100 wait, .*ECONNREFUSED/m);
      const check = run(['check', '--data', data]);
      assert.is(check.code, 1);
      assert.match(check.out, /^ok +upstream: /m);
      assert.match(check.out, /^PROBLEM +upstream "cloud": .*, 100 messages wait: /m);
      assert.match(run(['queue', '--data', data]).out, /^\$upstream\/cloud +100 /m);
      assert.equal([sys('upstream/state'), sys('upstreams/cloud/messages/waiting')], ['connected', '100']);

      await edge.end('SIGKILL');
      edge = await startHub(folder, undefined, data);
      assert.is(statusOf('cloud')?.backlog, 2 * COUNT);
      cloud = await startHub(folder, 'cloud.json', 'cloud');
      await until('the cloud has its own', () => atCloud.bodies.length >= 2 * COUNT);
      assert.equal(atCloud.bodies.toSorted(), texts('b', 'c'));
      await until('none waits', () => statusOf('cloud')?.backlog === 0);

      await local.publishAsync('a/x', 'more', { qos: 1 });
      await until('it has more', () => atSite.bodies.includes('more') && statusOf('upstream')?.backlog === 0);
      const delivered = statusOf('upstream')?.delivered;
      assert.ok(delivered);
      assert.ok((statusOf('cloud')?.delivered ?? 0) > 1);
      const applied = run(['apply', join(folder, 'later.json'), '--data', data]);
      assert.match(applied.out, /^ +~ restart upstream "cloud": window$/m);
      assert.not.match(applied.out, /upstream:|routes/);
      await until('it is connected again', () => statusOf('cloud')?.state === 'connected');
      assert.is(statusOf('cloud')?.delivered, 0, 'this one was started again');
      assert.is(statusOf('upstream')?.delivered, delivered, 'this one was not');

      await atSite.client.publishAsync('orders/1', 'open', { qos: 1 });
      await atCloud.client.publishAsync('orders/1', 'shut', { qos: 1 });
      await until('both have come down', () => seen.length >= 2);
      assert.equal(seen.toSorted(), ['from/cloud shut', 'from/site open']);

      const removed = run(['apply', join(folder, 'without.json'), '--data', data]);
      assert.match(removed.out, /^ +- stop upstream "cloud"$/m);
      assert.is(statusOf('cloud'), undefined);
      assert.is(statusOf('upstream')?.delivered, delivered, 'this one was not started again');
    } finally {
      local.end(true);
      for (const { client } of readers) client.end(true);
      for (const hub of [edge, site, cloud]) await hub.end('SIGKILL');
      removeFolder(folder);
    }
  },
);

/** Address that refuses connections. */
const AWAY = { url: 'mqtt://127.0.0.1:1' };
const ROUTES = { a: 'FROM topic("a") INTO $upstream' };
const BOTH = { ...ROUTES, b: 'FROM topic("b") INTO $upstream/cloud' };

several('waiting messages stay queued if a new manifest moves `upstream` into `upstreams`', async () => {
  const cloudPort = await freePort();
  const cloud = { url: `mqtt://127.0.0.1:${cloudPort}` };
  await withBroker(
    async harness => {
      const upstreams = (): string[] =>
        harness
          .hub()
          .status()
          .upstreams.map(({ name, backlog }) => `${name} ${backlog}`);
      const queues = (): string[] =>
        harness
          .hub()
          .status()
          .queues.map(({ queue, depth }) => `${queue} ${depth}`);
      const become = (manifest: object): Promise<void> =>
        harness.restart(() => {
          const text = { name: 'test', listeners: [{ mqtt: '127.0.0.1:0' }], ...manifest };
          writeFileSync(join(harness.folder, 'manifest.json'), JSON.stringify(text));
        });
      const publish = async (topic: string, count: number): Promise<void> => {
        const client = await harness.client();
        await client.connect({});
        for (let n = 1; n <= count; n++) {
          client.publish(topic, `${topic}${n}`, 1, n);
          await client.next();
        }
      };
      await publish('a', 3);
      assert.equal(upstreams(), ['upstream 3']);
      await become({ upstreams: { cloud: AWAY, upstream: AWAY }, routes: BOTH });
      await publish('b', 2);
      assert.equal(upstreams(), ['cloud 2', 'upstream 3']);
      await become({ upstream: AWAY, routes: ROUTES });
      assert.equal(upstreams(), ['upstream 3']);
      assert.equal(queues().toSorted(), ['$upstream 3', '$upstream/cloud 2']);
      await withBroker(
        async () => {
          const { client, bodies } = await readAll(cloudPort);
          await become({ upstreams: { upstream: AWAY, cloud }, routes: BOTH });
          await until('the cloud has what waited', () => bodies.length === 2);
          client.end(true);
          assert.equal(bodies, ['b1', 'b2']);
          await until('it is acknowledged', () => upstreams().join() === 'upstream 3,cloud 0');
        },
        { manifest: { name: 'cloud', listeners: [{ mqtt: `127.0.0.1:${cloudPort}` }] } },
      );
    },
    { manifest: { upstream: AWAY, routes: ROUTES } },
  );
});

several.run();
