import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createUpstreams } from '../../src/hub/upstreams.ts';
import { parseManifest } from '../../src/manifest/read.ts';
import { createStoreHarness } from '../harness/queue.ts';

const SEALED = 'sealed:QUJD';
/** Address that refuses connections. */
const AWAY = { url: 'mqtt://127.0.0.1:1', username: 'u', password: SEALED };

const upstreams = suite('hub: upstreams');

upstreams(
  'an upstream whose password cannot be decrypted reports an error, and the other upstreams run',
  async () => {
    const harness = await createStoreHarness();
    const opened: string[] = [];
    let broken = ['upstreams.cloud.password'];
    const upstreamSet = createUpstreams({
      store: harness.store,
      clock: harness.clock,
      random: { fraction: () => 0.5, bytes: count => Buffer.alloc(count) },
      logSink: () => {},
      openSecret: async (_, field) => {
        opened.push(field);
        if (broken.includes(field)) throw new Error(`${field} is broken`);
        return Buffer.from('hunter2');
      },
      take: () => {},
    });
    const use = async (all: object): Promise<string> => {
      const manifest = parseManifest(JSON.stringify({ name: 'edge', upstreams: all }), 'm.json');
      const failure = await upstreamSet.use({ manifest, home: '/' }).catch((thrown: unknown) => thrown);
      return failure instanceof Error ? failure.message : '';
    };
    const states = (): string[] => upstreamSet.statuses().map(({ name, state }) => `${name} ${state}`);
    try {
      assert.is(await use({ cloud: AWAY, site: AWAY }), 'upstreams.cloud.password is broken');
      assert.equal(states(), ['cloud connecting', 'site connecting']);
      broken = [];
      assert.is(await use({ site: AWAY, cloud: AWAY }), '', 'the second attempt succeeds');
      const [cloud, site] = ['upstreams.cloud.password', 'upstreams.site.password'];
      assert.equal(opened, [cloud, site, cloud], 'only the failed password is decrypted again');
      broken = [site];
      assert.is(await use({ site: AWAY, other: AWAY }), '', 'an unchanged upstream is not started again');
      assert.equal(states(), ['site connecting', 'other connecting']);
    } finally {
      upstreamSet.stop();
      await harness.finish();
    }
  },
);

upstreams.run();
