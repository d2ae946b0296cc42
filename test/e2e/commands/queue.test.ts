import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, freePort, removeFolder, run, startHub, until } from '../../harness/binary.ts';
import { createStoreHarness, messageOf, to } from '../../harness/queue.ts';

/** Runs a hub whose upstream is unreachable, so that messages for it wait. */
async function withHub(
  scenario: (ask: (...args: string[]) => ReturnType<typeof run>, port: number) => Promise<void>,
  prepare: (data: string) => Promise<void> = async () => {},
): Promise<void> {
  const port = await freePort();
  const folder = folderWith({
    'manifest.json': JSON.stringify({
      name: 'shop',
      routes: { all: 'FROM topic("door") INTO $upstream' },
      listeners: [{ mqtt: `127.0.0.1:${port}` }],
      upstream: { url: `mqtt://127.0.0.1:${await freePort()}` },
    }),
  });
  const data = join(folder, 'data');
  await prepare(data);
  const hub = await startHub(folder, 'manifest.json', 'data');
  try {
    await scenario((...args) => run([...args, '--data', data]), port);
  } finally {
    await hub.end('SIGTERM');
    removeFolder(folder);
  }
}

function json(text: string): unknown {
  return JSON.parse(text);
}

const queues = suite('e2e: skerry queue');

queues('`skerry queue` lists, shows and drops waiting messages', () =>
  withHub(async (ask, port) => {
    for (const text of ['one', 'two', 'three']) {
      assert.is(run(['pub', '-p', String(port), '-t', 'door', '-q', '1', '-m', text]).code, 0);
    }
    assert.match(ask('queue').out, /^\$upstream +3 +/m);
    const peeked = ask('queue', 'peek', '$upstream');
    assert.is(peeked.code, 0);
    const lines = peeked.out.split('\n');
    assert.match(lines[0] ?? '', /^NUMBER +PRIORITY +WAITED +LEFT +TOPIC +BODY$/);
    assert.match(lines[1] ?? '', /^\d+ +9 +\S+ +6d 23h +door +one$/);
    const [number] = /^\d+/.exec(lines[2] ?? '') ?? [];
    assert.is(ask('queue', 'drop', '$upstream', number ?? '').code, 0);
    const left = json(ask('queue', 'peek', '$upstream', '--json').out);
    const bodies = Array.isArray(left) ? left.map(({ message }) => message.body) : [];
    assert.equal(bodies, ['one', 'three']);
    assert.is(ask('queue', 'drop', '$upstream', '--all').out, '2 dropped\n');
    assert.match(ask('queue').out, /^\$upstream +0 +/m);
    const check = ask('check');
    assert.equal([check.code, check.err], [1, '']);
    assert.match(check.out, /^ok +store: /m);
    assert.match(check.out, /^PROBLEM +upstream: .* is waiting, 0 messages wait: .*connection refused/m);
  }),
);

/** Wrong arguments, each with the exit code and the error sentence. */
const WRONG: readonly (readonly [what: string, args: string[], code: number, says: RegExp])[] = [
  ['an unknown queue', ['queue', 'peek', 'nobody'], 1, /no queue "nobody"/],
  ['an unknown message', ['queue', 'drop', '$upstream', '99'], 1, /has no message 99/],
  ['an invalid number', ['queue', 'drop', '$upstream', 'x'], 2, /"x" is not the number/],
  ['no number', ['queue', 'drop', '$upstream'], 2, /by their numbers, or --all/],
  ['a count of 0', ['queue', 'peek', '$upstream', '-n', '0'], 2, /-n must be 1 to/],
  ['an unknown dead letter', ['queue', 'dead', 'replay', '7-1'], 1, /no dead letter "7-1"/],
  ['an unknown verb', ['queue', 'look'], 2, /no command "queue look"/],
];

queues('`skerry queue` refuses each wrong argument with one sentence and the expected exit code', () =>
  withHub(async (ask, port) => {
    assert.is(run(['pub', '-p', String(port), '-t', 'door', '-q', '1', '-m', 'x']).code, 0);
    for (const [what, args, code, says] of WRONG) {
      const answer = ask(...args);
      assert.is(answer.code, code, `${what}: ${answer.err}`);
      assert.match(answer.err, says);
      assert.is(answer.err.trim().split('\n').length, 1);
    }
  }),
);

/** Stores two dead letters of the upstream queue in a data folder. */
async function storeDeadLetters(data: string): Promise<void> {
  mkdirSync(data, { mode: 0o700 });
  const harness = await createStoreHarness({ folder: join(data, 'store') });
  for (const text of ['first', 'second']) await harness.append(messageOf(text), [to('$upstream')]);
  const drain = harness.store.drain('$upstream', {
    window: 2,
    send: entry => {
      drain.reject(entry, 'the topic is forbidden');
      return true;
    },
  });
  drain.wake();
  drain.stop();
  await harness.commit();
  await harness.store.close();
}

queues('`skerry queue` lists, replays and drops dead letters', () =>
  withHub(async ask => {
    const dead = ask('queue', 'dead').out.split('\n');
    assert.match(dead[1] ?? '', /^\d+-\d+ +\$upstream +\S+ +the topic is forbidden +a\/b +first$/);
    const ids = dead.slice(1, 3).map(line => line.split(' ')[0] ?? '');
    assert.is(ask('queue', 'dead', 'replay', ids[0] ?? '').out, '1 replayed\n');
    assert.match(ask('queue', 'peek', '$upstream').out, /first$/m);
    assert.is(ask('queue', 'dead', 'drop', '--all').out, '1 dropped\n');
    assert.equal(json(ask('queue', 'dead', '--json').out), []);
  }, storeDeadLetters),
);

queues(
  'a damaged store is moved aside at the start of the hub and reported by `skerry ps`, `queue` and `check`',
  () =>
    withHub(
      async ask => {
        await until('the hub answers', () => ask('ps').code === 0);
        for (const command of ['ps', 'queue', 'check']) {
          assert.match(ask(command).out, /A damaged store was moved to \S+store\.bad-\d{8}T\d{6}Z/);
        }
        assert.is(ask('check').code, 1);
      },
      async data => {
        mkdirSync(join(data, 'store'), { recursive: true, mode: 0o700 });
        writeFileSync(join(data, 'store', 'data.mdb'), 'rubbish'.repeat(10_000));
      },
    ),
);

queues('`skerry check` reports that no hub answers if no hub runs', () => {
  const folder = folderWith({});
  const { code, out } = run(['check', '--data', folder]);
  removeFolder(folder);
  assert.is(code, 1);
  assert.match(out, /^PROBLEM +hub: No hub answers/m);
});

queues.run();
