import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { hashPassword } from '../../../src/crypto/passwords.ts';
import { freePort, until } from '../../harness/binary.ts';
import { enter } from '../../harness/clients/listeners.ts';
import { random } from '../../harness/crypto.ts';
import { openTestDevice, quickManifest, sleeper, type TestDevice } from '../../harness/device.ts';

type Context = { device: TestDevice };

const deploy = suite<Context>('e2e: skerry apply');

deploy.before.each(context => {
  context.device = openTestDevice();
});

deploy.after.each(({ device }) => device.close());

/** Asserts that exactly these modules restart and all others keep their processes. */
async function assertRestarts(
  device: TestDevice,
  work: () => Promise<unknown>,
  expected: readonly string[],
): Promise<void> {
  const before = await device.pids();
  await work();
  const after = await device.pids();
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  assert.equal([...names].filter(name => before[name] !== after[name]).sort(), expected);
}

const FIRST = quickManifest({
  modules: {
    kept: sleeper(1001),
    grown: sleeper(1002, { restart: 'on-failure' }),
    changed: sleeper(1003),
    gone: sleeper(1004),
  },
});

const SECOND = quickManifest({
  modules: {
    kept: sleeper(1001),
    grown: sleeper(1002, {
      restart: 'always',
      limits: { pids: 50 },
      health: { exec: ['true'], everySeconds: 0.1 },
    }),
    changed: sleeper(1013),
    more: sleeper(1005),
  },
});

deploy(
  '`skerry apply` changes only the modules whose settings differ, and a second apply changes nothing',
  async ({ device }) => {
    device.write('first.json', FIRST);
    await device.up('first.json');
    await until('all run', () => device.commands().length === 4);
    await assertRestarts(device, async () => {
      const { code, out, err } = await device.apply(SECOND);
      assert.equal([code, err], [0, '']);
      const [title = '', ...lines] = out.trimEnd().split('\n');
      assert.match(title, /^"edge" [0-9a-f]{8}$/);
      assert.equal(lines.slice(0, 5), [
        '  - stop gone',
        '  ~ change in place grown: restart, limits, health',
        '  ~ restart changed: exec',
        '  + start more',
        '  = keep 1 module',
      ]);
      assert.is(lines.at(-2), '  waiting until it is healthy');
      assert.match(lines.at(-1) ?? '', /^"edge" [0-9a-f]{8} is healthy\.$/);
    }, ['changed', 'gone', 'more']);
    assert.equal(device.commands(), [
      'changed: sleep 1013',
      'grown: sleep 1002',
      'kept: sleep 1001',
      'more: sleep 1005',
    ]);
    const { modules, deployment } = await device.status();
    assert.is(modules.find(({ name }) => name === 'grown')?.state, 'ready');
    assert.is(deployment.outcome?.result, 'healthy');
    assert.is(deployment.current?.id, deployment.healthy?.id);
    await assertRestarts(device, async () => {
      const { code, out } = await device.apply(SECOND);
      assert.equal([code, out.split('\n').slice(1)], [0, ['  = keep 4 modules', '']]);
      assert.match(out, /: nothing to change\n/);
    }, []);
  },
);

deploy('`skerry apply --dry-run` prints the plan and changes nothing', async ({ device }) => {
  device.write('first.json', FIRST);
  await device.up('first.json');
  await until('all run', () => device.commands().length === 4);
  // The status shows the deployment once it is durable.
  await device.healthy();
  const { deployment } = await device.status();
  await assertRestarts(device, async () => {
    const { code, out } = await device.apply(SECOND, '--dry-run');
    assert.is(code, 0);
    assert.match(out, /~ restart changed: exec/);
    const dry = JSON.parse((await device.apply(SECOND, '--dry-run', '--json')).out);
    assert.equal([dry.unchanged, dry.plan.length], [false, 5]);
    assert.is((await device.status()).deployment.current?.id, deployment.current?.id);
  }, []);
  const slow = quickManifest({ modules: { m: sleeper(1001, { health: { exec: ['false'] } }) } }, '1h');
  const { code, out } = await device.apply(slow, '--no-wait');
  assert.is(code, 0);
  assert.not.match(out, /step/);
  assert.is((await device.status()).deployment.attempt?.target.name, 'edge');
  const told = await device.apply(SECOND, '--json');
  assert.is(told.code, 0);
  const { outcome, ...accepted } = JSON.parse(told.out);
  assert.equal([outcome.result, outcome.id, accepted.unchanged], ['healthy', accepted.id, false]);
  const bad = await device.apply(quickManifest({ modules: { m: { exec: ['./nowhere'] } } }), '--json');
  assert.is(bad.code, 1);
  assert.is(JSON.parse(bad.out).outcome.result, 'returned');
  assert.match(
    bad.err,
    /^skerry: modules\.m\.exec cannot be run: .*nowhere.* Rolled back to the last healthy deployment\.\n$/,
  );
});

deploy(
  '`skerry apply` with wrong arguments or without a running hub fails with one sentence',
  async ({ device }) => {
    for (const [args, code, sentence] of [
      [[], 2, /<manifest \| pack> is missing/],
      [['a', 'b'], 2, /"b" is one argument too many/],
      [['a', '--dry'], 2, /no option --dry\. Did you mean --/],
      [['a'], 1, /No hub answers in/],
    ] as const) {
      const ended = await device.command('apply', ...args);
      assert.equal([ended.code, ended.out], [code, '']);
      assert.match(ended.err, sentence);
    }
  },
);

deploy(
  'a client of an unchanged listener stays connected while `skerry apply` changes other listeners and routes',
  async ({ device }) => {
    const [stays, goes, comes] = [await freePort(), await freePort(), await freePort()];
    const manifest = (port: number, sink: string, ttl: string): object =>
      quickManifest({
        listeners: [{ mqtt: `127.0.0.1:${stays}` }, { mqtt: `127.0.0.1:${port}` }],
        modules: { m: { exec: ['sleep', '1001'] } },
        routes: { r: `FROM topic("in") INTO topic("${sink}")` },
        storeAndForward: { ttl },
      });
    device.write('first.json', manifest(goes, 'one', '1h'));
    await device.up('first.json');
    const client = await enter(`mqtt://127.0.0.1:${stays}`, { clientId: 'stays', clean: false });
    const other = await enter(`mqtt://127.0.0.1:${goes}`, { clientId: 'goes', reconnectPeriod: 0 });
    const lost: string[] = [];
    client.on('close', () => lost.push('stays'));
    other.on('close', () => lost.push('goes'));
    const received: string[] = [];
    client.on('message', topic => received.push(topic));
    await client.subscribeAsync(['one', 'two'], { qos: 1 });
    await client.publishAsync('in', 'x', { qos: 1 });
    await until('the first route has forwarded the message', () => received.length === 1);
    await assertRestarts(
      device,
      async () => assert.is((await device.apply(manifest(comes, 'two', '2h'))).code, 0),
      [],
    );
    await client.publishAsync('in', 'x', { qos: 1 });
    await until('the second route has forwarded the message', () => received.length === 2);
    assert.equal(received, ['one', 'two']);
    await until('the other client is disconnected', () => lost.length > 0);
    assert.equal(lost, ['goes']);
    await (await enter(`mqtt://127.0.0.1:${comes}`, { clientId: 'comes' })).endAsync();
    assert.equal((await device.status()).listeners, [`127.0.0.1:${stays}`, `127.0.0.1:${comes}`]);
    await client.endAsync();
  },
);

deploy(
  '`skerry apply` disconnects the clients of a removed user and no other clients',
  async ({ device }) => {
    const port = await freePort();
    const password = await hashPassword(Buffer.from('secret'), random);
    const user = { password, publish: ['#'], subscribe: ['#'] };
    const manifest = (users: object): object =>
      quickManifest({ listeners: [{ mqtt: `127.0.0.1:${port}` }], users });
    device.write('first.json', manifest({ alice: user, bob: user }));
    await device.up('first.json');
    const lost: string[] = [];
    const clients = await Promise.all(
      ['alice', 'bob'].map(async username => {
        const options = { clientId: username, username, password: 'secret', reconnectPeriod: 0 };
        const client = await enter(`mqtt://127.0.0.1:${port}`, options);
        client.on('close', () => lost.push(username));
        return client;
      }),
    );
    assert.is((await device.apply(manifest({ alice: user }))).code, 0);
    await until('bob is disconnected', () => lost.length > 0);
    await clients[0]?.publishAsync('a', 'x', { qos: 1 });
    assert.equal(lost, ['bob']);
    await clients[0]?.endAsync();
  },
);

deploy.run();
