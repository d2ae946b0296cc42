import { writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, freePort, removeFolder, run, skerry, startHub, until } from '../../harness/binary.ts';

const health = suite('e2e: health of modules');

health(
  'a module with a higher startupOrder starts once the earlier module reports ready over MQTT',
  async () => {
    const port = await freePort();
    const teller = `#!/bin/sh
while [ ! -e go ]; do sleep 0.05; done
${skerry} pub -p ${port} -u "$SKERRY_MODULE" -P "$SKERRY_TOKEN" -t "modules/$SKERRY_MODULE/health" -q 1 -m ok
sleep 1000
`;
    const manifest = {
      name: 'edge',
      listeners: [{ mqtt: `127.0.0.1:${port}` }],
      modules: {
        first: { exec: ['./teller.sh'], health: { mqtt: true }, startupOrder: 1 },
        second: { exec: ['sleep', '1000'], startupOrder: 2 },
      },
      routes: { all: 'FROM /* INTO topic("taken")' },
    };
    const folder = folderWith({ 'teller.sh': teller, 'manifest.json': JSON.stringify(manifest) });
    const hub = await startHub(folder, 'manifest.json', 'data');
    const data = ['--data', `${folder}/data`];
    const states = (): string => {
      const { modules }: { readonly modules: readonly { readonly name: string; readonly state: string }[] } =
        JSON.parse(run(['ps', '--json', ...data]).out);
      return modules.map(({ name, state }) => `${name} ${state}`).join(', ');
    };
    try {
      await until('the first one runs', () => states() === 'first running, second stopped');
      const topic = ['-t', 'modules/first/health', '-q', '1', '-m', 'ok'];
      run(['pub', '-p', String(port), ...topic]);
      assert.is(states(), 'first running, second stopped', 'another client cannot report it');
      run(['pub', '-p', String(port), '-t', 'go', '-m', 'x']);
      assert.is(run(['restart', 'first', ...data]).code, 0);
      writeFileSync(`${folder}/go`, '');
      await until('both run', () => states() === 'first ready, second running');
      const [route]: readonly { readonly matched: number }[] = JSON.parse(
        run(['routes', '--json', ...data]).out,
      );
      assert.is(route?.matched, 1, 'only what was published on "go"');
      assert.match(run(['ps', ...data]).out, /first +ready/);
    } finally {
      assert.is(await hub.end('SIGTERM'), 0);
      removeFolder(folder);
    }
  },
);

health('a hub that waits for a module to become ready stops on SIGTERM', async () => {
  const manifest = {
    name: 'edge',
    listeners: [{ mqtt: '127.0.0.1:0' }],
    modules: {
      first: { exec: ['sleep', '1000'], health: { exec: ['false'], readySeconds: 600 }, startupOrder: 1 },
      second: { exec: ['sleep', '1000'], startupOrder: 2 },
    },
  };
  const folder = folderWith({ 'manifest.json': JSON.stringify(manifest) });
  const hub = await startHub(folder, 'manifest.json', 'data');
  try {
    const data = ['--data', `${folder}/data`];
    await until('the first one runs', () => /first +running/.test(run(['ps', ...data]).out));
    assert.is(await hub.end('SIGTERM'), 0);
    assert.not(hub.log().includes('"second" started'));
  } finally {
    removeFolder(folder);
  }
});

health.run();
