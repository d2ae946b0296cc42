import { readFileSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { folderWith, freePort, removeFolder, run, startHub, until } from '../../harness/binary.ts';

/** Module that acknowledges each task. It acknowledges a task "hold" only once the file `again` exists. */
const WORKER = `#!/bin/sh
while read -r task; do
  echo "$task" >> tasks
  id=$(echo "$task" | sed 's/.*"id":\\([0-9]*\\).*/\\1/')
  case "$task" in *hold*) if [ ! -e again ]; then continue; fi;; esac
  echo "{\\"ack\\":$id}"
done
`;

const acks = suite('e2e: module inputs with acknowledgement');

acks(
  'a message for a module stays queued until the module acknowledges it, also across restarts of the module',
  async () => {
    const port = await freePort();
    const manifest = {
      name: 'edge',
      listeners: [{ mqtt: `127.0.0.1:${port}` }],
      modules: { worker: { exec: ['./worker.sh'], io: 'lines', ack: true } },
      routes: {
        tasks: 'FROM topic("tasks/#") INTO BrokeredEndpoint("/modules/worker/inputs/in")',
        said: 'FROM /messages/modules/worker/* INTO topic("said")',
      },
    };
    const folder = folderWith({ 'worker.sh': WORKER, 'manifest.json': JSON.stringify(manifest) });
    const hub = await startHub(folder, 'manifest.json', 'data');
    const data = ['--data', `${folder}/data`];
    const waiting = (): readonly { readonly message: { readonly body: string } }[] =>
      JSON.parse(run(['queue', 'peek', 'input/worker/in', '--json', ...data]).out);
    try {
      for (const body of ['"a"', '"hold"', '{"b":1}']) {
        const sent = run(['pub', '-p', String(port), '-t', 'tasks/x', '-q', '1', '-m', body]);
        assert.is(sent.code, 0, sent.err);
      }
      await until('all but one are done', () => waiting().length === 1);
      assert.is(waiting()[0]?.message.body, '"hold"');
      const routes: readonly { readonly matched: number }[] = JSON.parse(
        run(['routes', '--json', ...data]).out,
      );
      assert.is(routes[1]?.matched, 0, 'an acknowledgement is no message');

      const marked = run(['restart', 'worker', ...data]);
      assert.is(marked.code, 0, marked.err);
      assert.is(waiting().length, 1, 'a second time it is still held');
      writeFileSync(`${folder}/again`, '');
      run(['restart', 'worker', ...data]);
      await until('the last one is done', () => waiting().length === 0);
      const bodies = Array.from(
        readFileSync(`${folder}/tasks`, 'utf8').matchAll(/"input":"in","body":(.*)\}\n/g),
        ([, body]) => body,
      );
      assert.equal(bodies.slice(0, 3), ['"a"', '"hold"', '{"b":1}']);
      assert.ok(bodies.slice(3).every(body => body === '"hold"'));
    } finally {
      await hub.end('SIGTERM');
      removeFolder(folder);
    }
  },
);

acks.run();
