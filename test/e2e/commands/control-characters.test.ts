import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, connectAsync } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  folderWith,
  freePort,
  type RunningHub,
  removeFolder,
  run,
  skerry,
  startHub,
  until,
} from '../../harness/binary.ts';

/** Escape sequence that clears the screen. */
const CLEAR = '\x1b[2J';
/** The sequence as the hub and the commands print it. */
const ESCAPED = '\\u001b[2J';

type Context = { folder: string; data: string; hub: RunningHub; port: number };

const escapes = suite<Context>('e2e: control characters');

escapes.before(async context => {
  context.port = await freePort();
  const users = { alice: { certificate: 'alice', publish: ['a/#'] } };
  const manifest = {
    name: 'a',
    listeners: [{ mqtt: `127.0.0.1:${context.port}` }],
    users,
    anonymous: { publish: ['open/#'], subscribe: ['open/#'] },
    routes: { r: `FROM topic('open/+') WHERE x = '${CLEAR}' INTO $upstream` },
    upstream: { url: 'mqtt://127.0.0.1:1' },
  };
  context.folder = folderWith({ 'hub.json': JSON.stringify(manifest) });
  context.data = join(context.folder, 'data');
  context.hub = await startHub(context.folder, 'hub.json', 'data');
});

escapes.after(async ({ hub, folder }) => {
  await hub.end('SIGTERM');
  removeFolder(folder);
});

/** Program and arguments that run the binary on a terminal. */
function onTerminal(args: readonly string[]): [string, string[]] {
  const quoted = [skerry, ...args].map(word => `'${word}'`).join(' ');
  return ['script', ['-qec', `stty cols 300; exec ${quoted}`, '/dev/null']];
}

/** Runs a command on a terminal. Returns its output. */
function shown(args: readonly string[]): string {
  const env = { PATH: process.env['PATH'] ?? '', TERM: 'xterm-256color' };
  return spawnSync(...onTerminal(args), { encoding: 'utf8', timeout: 30_000, env }).stdout;
}

escapes('`skerry logs` escapes control characters on a terminal, but not in a pipe', ({ data }) => {
  mkdirSync(join(data, 'logs'), { recursive: true });
  const line = `2026-05-06T07:08:09.000Z out a${CLEAR}\x9b2J\rb\tc\n`;
  writeFileSync(join(data, 'logs', 'm.log'), line);
  assert.match(shown(['logs', 'm', '--data', data]), /out a\\u001b\[2J\\u009b2J\\rb\tc\r?\n/);
  assert.is(run(['logs', 'm', '--data', data]).out, line);
});

escapes('`skerry routes` escapes control characters in routes on a terminal', ({ data }) => {
  const out = shown(['routes', '--data', data]);
  assert.not.ok(out.includes(CLEAR), out);
  assert.ok(out.includes(ESCAPED), out);
  assert.ok(out.includes('\x1b[1mROUTE\x1b[22m'), 'headings keep their style');
});

escapes('`skerry sub` escapes control characters in messages on a terminal', async ({ port }) => {
  const args = ['sub', '-t', 'open/#', '-v', '-C', '1', '-p', String(port)];
  const child = spawn(...onTerminal(args), { stdio: ['ignore', 'pipe', 'ignore'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`);
  const again = setInterval(() => client.publish('open/x', `1${CLEAR}2`), 50);
  await until('it came', () => child.exitCode !== null);
  clearInterval(again);
  await client.endAsync();
  assert.is(out, `open/x 1${ESCAPED}2\r\n`);
});

escapes('a user name that a client sends is escaped and truncated in the log', async ({ hub, port }) => {
  const tries = ['wrong', `x" address=1.2.3.4\n2026 error hub: ${CLEAR}`, 'y'.repeat(60_000)];
  for (const username of tries) {
    const client = connect(`mqtt://127.0.0.1:${port}`, {
      clientId: 'thief',
      username,
      password: 'p',
      reconnectPeriod: 0,
    });
    await new Promise<void>(done => client.once('error', () => done()).once('close', () => done()));
    client.end(true);
  }
  await until('all are logged', () => hub.log().match(/Refused a connection/g)?.length === tries.length);
  const lines = hub
    .log()
    .split('\n')
    .filter(line => line.includes('Refused a connection'));
  assert.match(
    lines[0] ?? '',
    / broker: Refused a connection: no user with a password has this name\. client=thief user=wrong address=127\.0\.0\.1$/,
  );
  for (const line of lines) assert.ok(line.length < 700 && /^[ -~]+$/.test(line), line);
  assert.is(lines.length, tries.length);
});

escapes('a refused message is logged with client, address and topic', async ({ hub, port }) => {
  for (const protocolVersion of [4, 5] as const) {
    const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
      clientId: `v${protocolVersion}`,
      protocolVersion,
      reconnectPeriod: 0,
    });
    client.on('error', () => {});
    client.publish('not/mine', 'x', { qos: 1 }, () => {});
    const line = new RegExp(
      `may not publish to "not/mine"\\. client=v${protocolVersion} address=127\\.0\\.0\\.1`,
    );
    await until('it is logged', () => line.test(hub.log()));
    await client.endAsync(true);
  }
});

escapes.run();
