import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
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
import { skip } from '../../harness/skip.ts';

const certificates = resolve(import.meta.dirname, '../../certificates');
const CA = ['--cafile', join(certificates, 'ca.pem')];
const SENSOR = ['--cert', join(certificates, 'sensor.pem'), '--key', join(certificates, 'sensor.key')];
const TRUSTED = ['--cafile', join(certificates, 'ca.pem'), ...SENSOR];

type Context = {
  folder: string;
  hub: RunningHub;
  ports: { readonly mqtt: number; readonly mqtts: number; readonly ws: number; readonly wss: number };
};

const clients = suite<Context>('e2e: skerry pub and skerry sub');

clients.before(async context => {
  const ports = {
    mqtt: await freePort(),
    mqtts: await freePort(),
    ws: await freePort(),
    wss: await freePort(),
  };
  const tls = { cert: 'server.pem', key: 'server.key' };
  const everything = { publish: ['#'], subscribe: ['#'] };
  const manifest = {
    name: 'edge',
    listeners: [
      { mqtt: `127.0.0.1:${ports.mqtt}` },
      { unix: 'mqtt.sock' },
      { mqtts: `127.0.0.1:${ports.mqtts}`, ...tls, ca: 'ca.pem', clientCertificates: 'required' },
      { ws: `127.0.0.1:${ports.ws}` },
      { wss: `127.0.0.1:${ports.wss}`, path: '/broker', ...tls },
    ],
    users: { sensor: { certificate: 'sensor 7', publish: ['only/#'], subscribe: ['only/#'] } },
    anonymous: { ...everything, publish: ['a/#', 'will/#'] },
  };
  const folder = folderWith({ 'manifest.json': JSON.stringify(manifest) });
  for (const name of ['server.pem', 'server.key', 'ca.pem'])
    copyFileSync(join(certificates, name), join(folder, name));
  Object.assign(context, { folder, ports, hub: await startHub(folder, 'manifest.json', 'data') });
});

clients.after(async ({ folder, hub }) => {
  await hub.end('SIGTERM');
  removeFolder(folder);
});

/** Publishes a retained message on a topic and asserts that a subscriber receives it. */
function exchange(topic: string, options: readonly string[]): void {
  const sent = run(['pub', '-t', topic, '-m', '-1 \u00e9', '-r', ...options]);
  assert.equal([sent.code, sent.err], [0, '']);
  const got = run(['sub', '-t', topic, '-v', '-C', '1', '-W', '20', ...options]);
  assert.equal([got.code, got.out, got.err], [0, `${topic} -1 \u00e9\n`, '']);
}

clients('`skerry pub` and `sub` exchange messages over TCP and a Unix socket', ({ folder, ports }) => {
  exchange('a/tcp', ['-p', String(ports.mqtt), '-V', '5', '-q', '2']);
  exchange('a/unix', ['--unix', join(folder, 'mqtt.sock'), '-V', 'mqttv311', '-q', '2']);
});

clients('`skerry sub -F` prints the same text as `mosquitto_sub -F`', ({ ports }) => {
  const port = ['-p', String(ports.mqtt)];
  run(['pub', '-t', 'a/format', '-m', '{"x":1}', '-r', ...port]);
  const format = '%t|%p|%l|%r|%q|%x|%X|%9t|%-9t|%09l|\\t|%%';
  const options = [...port, '-t', 'a/format', '-C', '1', '-W', '20', '-F', format];
  const ours = run(['sub', ...options]);
  assert.equal([ours.code, ours.err], [0, '']);
  const theirs = spawnSync('mosquitto_sub', options, { encoding: 'utf8' });
  if (theirs.error === undefined) assert.is(ours.out, theirs.stdout);
  else skip('mosquitto_sub is not installed.');
  const none = run(['sub', ...port, '-t', 'a/format', '-R', '-C', '1', '-W', '1']);
  assert.equal([none.code, none.out], [1, '']);
});

clients('`skerry pub` and `sub` connect over TLS with a client certificate', ({ ports }) => {
  exchange('only/tls', ['-h', 'localhost', '-p', String(ports.mqtts), ...TRUSTED, '-q', '1']);
});

clients('`skerry pub` and `sub` connect over WebSocket, also with TLS and a path', ({ ports }) => {
  exchange('a/ws', ['-p', String(ports.ws), '--ws', '-q', '2']);
  exchange('a/wss', ['-p', String(ports.wss), '--ws', '--ws-path', 'broker', ...CA, '-V', '5']);
});

clients('`skerry pub` that cannot connect ends with exit code 1 and the reason', ({ ports, folder }) => {
  const failing: readonly (readonly [readonly string[], RegExp])[] = [
    [['-p', String(ports.mqtts), '--tls'], /certificate/],
    [['-p', String(ports.mqtts), ...CA], /certificate|handshake|cut off/],
    [['-p', String(ports.wss), '--ws', ...CA], /404/],
    [['--unix', join(folder, 'nowhere.sock')], /ENOENT|nowhere\.sock/],
  ];
  for (const [options, reason] of failing) {
    const { code, err } = run(['pub', '-t', 'a', '-m', 'x', ...options]);
    assert.is(code, 1, err);
    assert.match(err, reason);
    assert.is(err.trim().split('\n').length, 1, err);
  }
});

clients('`skerry pub` and `sub` refuse conflicting, incomplete and invalid options with exit code 2', () => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['--cert', 'x'], /--cert and --key need each other/],
    [['--unix', 's', '--ws'], /--unix goes without/],
    [['--insecure'], /--insecure is for TLS/],
    [['--cafile', '/nowhere'], /--cafile \/nowhere cannot be read/],
    [['--will-payload', 'x'], /needs --will-topic/],
    [['--will-topic', 'a/#'], /--will-topic must name a topic/],
    [['-k', '-1'], /-k must be 0 to 65535/],
    [['-V', '31'], /-V must be 311, 5, mqttv311 or mqttv5/],
  ];
  for (const [options, reason] of wrong) {
    const { code, err } = run(['pub', '-t', 'a', '-m', 'x', ...options]);
    assert.is(code, 2, err);
    assert.match(err, reason);
  }
});

clients('`skerry pub` and `sub` end with exit code 1 if the hub denies the topic', ({ ports }) => {
  const to = ['-p', String(ports.mqtts), '-h', 'localhost', ...TRUSTED, '-V', '5'];
  const refused = run(['pub', '-t', 'other', '-m', 'x', '-q', '2', ...to]);
  assert.equal([refused.code, refused.err], [1, 'skerry: The server refused a message: not authorized.\n']);
  const denied = run(['sub', '-t', 'other', ...to]);
  assert.equal(
    [denied.code, denied.err],
    [1, 'skerry: The server refused the subscription to other: not authorized.\n'],
  );
});

clients(
  'the will of `skerry sub` is published when the process of `skerry sub` is killed',
  async ({ ports }) => {
    const to = ['-p', String(ports.mqtt)];
    const will = ['--will-topic', 'will/a', '--will-payload', 'gone', '--will-qos', '1', '--will-retain'];
    const child = spawn(skerry, ['sub', '-t', '#', '-v', ...to, ...will], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    assert.is(run(['pub', '-t', 'a/last', '-m', 'x', '-r', ...to]).code, 0);
    await until('it is subscribed', () => text.includes('a/last x'));
    child.kill('SIGKILL');
    assert.is(run(['sub', '-t', 'will/a', '-C', '1', '-W', '20', ...to]).out, 'gone\n');
  },
);

clients('`skerry pub -f` and `-s` publish a file and standard input unchanged', ({ folder, ports }) => {
  const to = ['-p', String(ports.mqtt), '-t', 'a/file', '-r', '-q', '1'];
  assert.is(run(['pub', '-f', join(folder, 'manifest.json'), ...to]).code, 0);
  const got = run(['sub', '-t', 'a/file', '-C', '1', '-p', String(ports.mqtt)]);
  assert.is(JSON.parse(got.out).name, 'edge');
  assert.is(run(['pub', '-s', ...to], 'one\ntwo\n').code, 0);
  assert.is(run(['sub', '-t', 'a/file', '-C', '1', '-p', String(ports.mqtt)]).out, 'one\ntwo\n\n');
});

clients('`skerry sub -W` ends with exit code 1 if no message arrives within the time limit', ({ ports }) => {
  const { code, err } = run(['sub', '-t', 'nothing', '-W', '0.2', '-p', String(ports.mqtt)]);
  assert.equal([code, err], [1, 'skerry: The 0.2 seconds of -W are over, after 0 messages.\n']);
});

clients.run();
