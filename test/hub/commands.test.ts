import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Clock } from '../../src/core/clock.ts';
import { PLAIN } from '../../src/core/message.ts';
import { openComponents } from '../../src/hub/components.ts';
import { controlRoutes } from '../../src/hub/control/route-control.ts';
import { routingOf } from '../../src/hub/routing/compiled-routes.ts';
import { boundsOf } from '../../src/hub/storage/bounds.ts';
import { openResources } from '../../src/hub/storage/resources.ts';
import { parseManifest } from '../../src/manifest/read.ts';
import { openStore } from '../../src/queue/store.ts';
import type { WaitingEntry } from '../../src/queue/types.ts';
import { memoryUnder } from './memory-keeper.ts';

const CLOCK: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.UTC(2026, 10, 25),
  after: (milliseconds, action) => {
    const timer = setTimeout(action, milliseconds).unref();
    return () => clearTimeout(timer);
  },
};
const RANDOM = { fraction: () => 0.5, bytes: (count: number) => Buffer.alloc(count, 7) };
const QUIET = { info: () => {}, warn: () => {}, error: () => {} };

/** Script that answers each line that it reads. */
const VALVE = `while read -r line; do echo "{\\"output\\":\\"done\\",\\"body\\":\\"did $line\\"}"; done`;

const MANIFEST = {
  name: 'edge',
  listeners: [],
  upstream: { url: 'mqtt://parent.invalid', down: ['commands/#'] },
  modules: { valve: { exec: ['sh', '-c', VALVE], io: 'lines' } },
  routes: {
    down: 'FROM $upstream("commands/+") INTO BrokeredEndpoint("/modules/valve/inputs/in")',
    up: 'FROM /messages/modules/valve/* INTO $upstream',
  },
};

/** Waits until `look` returns a value. Returns it. */
async function found<Value>(look: () => Value | undefined): Promise<Value> {
  for (const end = performance.now() + 20_000; performance.now() < end; ) {
    const value = look();
    if (value !== undefined) return value;
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  throw new Error('Timed out waiting for a value.');
}

const commands = suite('hub: commands from upstream');

commands(
  'a command from upstream is stored for its module, and the answer of the module is forwarded',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'skerry-commands-'));
    for (const name of ['logs', 'run']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(MANIFEST));
    const manifest = parseManifest(JSON.stringify(MANIFEST), 'manifest.json');
    const resources = openResources(manifest);
    const store = await openStore({
      maxPendingBytes: 4 << 20,
      countRead: () => {},
      ...boundsOf(manifest),
      folder: join(folder, 'store'),
      clock: CLOCK,
      resources: resources.shares,
      log: QUIET,
    });
    const parts = openComponents(
      {
        memory: memoryUnder(CLOCK, QUIET),
        dataFolder: folder,
        clock: CLOCK,
        random: RANDOM,
        logSink: () => {},
        launched: {},
      },
      store,
      resources,
      manifest,
      { bundleFolder: sha256 => join(folder, sha256) },
    );
    const routing = routingOf(manifest);
    parts.routing.use(routing);
    parts.router.use(manifest.name, routing.dispatcher);
    parts.modules.useInputs(routing.inputs);
    try {
      assert.equal(routing.status().routeWarnings, []);
      const origin = { kind: 'upstream', upstream: 'upstream' } as const;
      const message = { ...PLAIN, topic: 'commands/a', body: Buffer.from('open'), qos: 1, origin } as const;
      const settled: (Error | undefined)[] = [];
      assert.is(
        parts.router.route(message, error => settled.push(error)),
        1,
      );
      assert.equal(settled, [], 'not before it is durable');
      assert.equal(await found(() => settled[0] ?? (settled.length === 1 ? 'taken' : undefined)), 'taken');

      const control = controlRoutes({ clock: CLOCK, store, routing: () => routing });
      const replayed = await control.replay('FROM $upstream("commands/#") INTO topic("t")', 60_000);
      assert.equal(
        replayed.taken.map(({ message: { topic, from, body } }) => [topic, from, body]),
        [['commands/a', '$upstream', 'open']],
      );
      const others = await control.replay('FROM /* INTO topic("t")', 60_000);
      assert.equal([others.messages, others.verdicts.true], [1, 0]);

      await parts.modules.start(['valve'], { manifest, home: folder });
      const answer = await found((): WaitingEntry | undefined => store.peek('$upstream', 1)[0]);
      assert.equal(answer.message?.origin, { kind: 'module', module: 'valve', output: 'done' });
      assert.is(answer.message?.body.toString(), 'did open');
      const input = () => store.stats().find(({ queue }) => queue === 'input/valve/in')?.depth ?? 0;
      await found(() => (input() === 0 ? true : undefined));
    } finally {
      await parts.modules.stop();
      await parts.broker.close();
      await store.close();
      rmSync(folder, { recursive: true });
    }
  },
);

commands.run();
