import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TlsOptions } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Clock } from '../../../src/core/clock.ts';
import { troubleOf } from '../../../src/upstream/link/error-texts.ts';
import type { UpstreamHarness } from '../../harness/upstream.ts';
import { createUpstreamHarness } from '../../harness/upstream.ts';
import type { Server } from '../server.ts';
import { acceptAll, startServer } from '../server.ts';

const certificates = resolve(import.meta.dirname, '../../certificates');
const fileOf = (name: string): string => join(certificates, name);
const FINGERPRINT =
  'FD:97:FD:6D:3B:C7:19:96:BE:25:69:D3:D0:F2:49:79:CF:4C:50:A1:1E:BE:85:4D:A2:56:D4:09:6B:3F:F9:64';

function serverTls(name = 'server'): TlsOptions {
  return { cert: readFileSync(fileOf(`${name}.pem`)), key: readFileSync(fileOf(`${name}.key`)) };
}

const secure = suite('upstream: TLS');

async function withServer(
  options: TlsOptions,
  test: (harness: UpstreamHarness, server: Server) => Promise<void>,
): Promise<void> {
  const harness = await createUpstreamHarness();
  const server = await startServer(acceptAll, 0, 5, options);
  try {
    await test(harness, server);
  } finally {
    await harness.finish();
    await server.close();
  }
}

/** Connects and returns `connected` or the error. */
async function resultOf(
  harness: UpstreamHarness,
  server: Server,
  tls: object,
  host = '127.0.0.1',
): Promise<string> {
  const forwarder = harness.start({ url: `mqtts://${host}:${server.port}`, tls });
  const isDecided = (): boolean =>
    forwarder.status().state === 'connected' || forwarder.status().lastError !== undefined;
  await harness.until('it is decided', isDecided, 0);
  return forwarder.status().state === 'connected' ? 'connected' : (forwarder.status().lastError ?? '');
}

secure('an upstream server whose certificate is not of the configured CA is refused', async () => {
  await withServer(serverTls(), async (harness, server) => {
    assert.is(await resultOf(harness, server, { ca: fileOf('ca.pem') }), 'connected');
    assert.is(await resultOf(harness, server, { ca: fileOf('ca.pem') }, 'localhost'), 'connected');
    assert.match(
      await resultOf(harness, server, { ca: fileOf('other-ca.pem') }),
      /is not trusted \(\w+\): trust its CA with "tls\.ca"/,
    );
    assert.match(await resultOf(harness, server, {}), /is not trusted \(\w+\): trust its CA with "tls\.ca"/);
    const named = { ca: fileOf('ca.pem'), serverName: 'other.example' };
    assert.match(
      await resultOf(harness, server, named),
      /is for another host name \(ERR_TLS_CERT_ALTNAME_INVALID\): set "tls.serverName"/,
    );
    assert.match(
      await resultOf(harness, server, { ca: 'missing.pem' }),
      /^upstream\.tls\.ca \(\S+missing\.pem\) cannot be read: the file does not exist\.$/,
    );
  });
});

secure('an upstream server whose certificate does not have the pinned fingerprint is refused', async () => {
  await withServer(serverTls(), async (harness, server) => {
    assert.is(await resultOf(harness, server, { fingerprint: FINGERPRINT }), 'connected');
    const other = FINGERPRINT.replace('FD', '00');
    assert.match(
      await resultOf(harness, server, { fingerprint: other }),
      /fingerprint of the server's certificate \(fd97fd6d/,
    );
    assert.is(
      server.connections.flatMap(({ packets }) => packets.filter(({ cmd }) => cmd === 'connect')).length,
      1,
    );
  });
});

secure('the TLS handshake with a server contains the configured server name and ALPN protocols', async () => {
  const seen: unknown[] = [];
  const options: TlsOptions = {
    ...serverTls(),
    ALPNCallback: ({ servername, protocols }) => {
      seen.push(servername, protocols);
      return protocols[0];
    },
  };
  await withServer(options, async (harness, server) => {
    const tls = { ca: fileOf('ca.pem'), serverName: 'localhost', alpn: ['mqtt', 'x-amzn-mqtt-ca'] };
    assert.is(await resultOf(harness, server, tls), 'connected');
    assert.equal(seen, ['localhost', ['mqtt', 'x-amzn-mqtt-ca']]);
  });
});

secure('the client certificate file is read again for each upstream connection', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-upstream-'));
  const [cert, key] = [join(folder, 'c.pem'), join(folder, 'c.key')];
  const place = (name: string): void => {
    copyFileSync(fileOf(`${name}.pem`), cert);
    copyFileSync(fileOf(`${name}.key`), key);
  };
  place('stranger');
  const options = { ...serverTls(), requestCert: true, ca: readFileSync(fileOf('ca.pem')) };
  await withServer(options, async (harness, server) => {
    const forwarder = harness.start({
      url: `mqtts://127.0.0.1:${server.port}`,
      tls: { ca: fileOf('ca.pem'), cert, key },
    });
    await harness.until('the stranger is refused', () => forwarder.status().lastError !== undefined, 0);
    place('sensor');
    await harness.until('the new one is taken', () => forwarder.status().state === 'connected', 10);
  });
  rmSync(folder, { recursive: true });
});

/** Returns an action that removes a file before `put` creates something else at its path. */
function inPlace(put: (file: string) => unknown): (file: string) => void {
  return file => {
    rmSync(file);
    put(file);
  };
}

/** Actions that make a PEM file unusable, each with the expected reason. */
const USELESS: readonly (readonly [how: string, act: (file: string) => unknown, reason: RegExp])[] = [
  ['is empty', file => writeFileSync(file, ''), / is empty\.$/],
  [
    'is not PEM',
    file => writeFileSync(file, randomBytes(2_000)),
    / holds no (certificate|private key) in PEM /,
  ],
  ['ends early', file => truncateSync(file, 100), / holds no (certificate|private key) in PEM /],
  [
    'has no content between its BEGIN and END lines',
    file => writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/^[^-].*\n/gm, '')),
    / holds no (certificate|private key) in PEM /,
  ],
  ['is missing', file => rmSync(file), / cannot be read: the file does not exist\.$/],
  ['is a folder', inPlace(file => mkdirSync(file)), / is not a file\.$/],
  ['is a pipe without a writer', inPlace(file => spawnSync('mkfifo', [file])), / is not a file\.$/],
  ['never ends', inPlace(file => symlinkSync('/dev/zero', file)), / is not a file\.$/],
  ['is a link to itself', inPlace(file => symlinkSync(file, file)), / cannot be read: ELOOP/],
  ['is huge', file => truncateSync(file, 2 ** 40), / is larger than \d+ bytes\.$/],
  [
    'belongs to another key',
    file => copyFileSync(fileOf(`stranger.${file.slice(-3)}`), file),
    / cannot be used together /,
  ],
];

secure(
  'an invalid certificate, key or CA of an upstream is reported with its field and does not end the hub',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'skerry-upstream-'));
    const options = { ...serverTls(), requestCert: true, ca: readFileSync(fileOf('ca.pem')) };
    const files = { ca: join(folder, 'ca.pem'), cert: join(folder, 'c.pem'), key: join(folder, 'c.key') };
    const repair = (): void => {
      for (const [to, from] of [
        [files.ca, 'ca.pem'],
        [files.cert, 'sensor.pem'],
        [files.key, 'sensor.key'],
      ] as const) {
        rmSync(to, { recursive: true, force: true });
        copyFileSync(fileOf(from), to);
      }
    };
    await withServer(options, async (harness, server) => {
      for (const [how, act, reason] of USELESS) {
        for (const [field, file] of Object.entries(files)) {
          if (field === 'ca' && how === 'belongs to another key') continue;
          repair();
          act(file);
          harness.log.length = 0;
          const what = `upstream.tls.${field} that ${how}`;
          const result = await resultOf(harness, server, files);
          assert.match(result, reason, what);
          assert.ok(result.includes(`upstream.tls.${field} (${file})`), `${what}: ${result}`);
          assert.equal(harness.log, [`${result} Messages wait in the queue until the next attempt.`], what);
        }
      }
      // During a renewal the files may be incomplete at the moment of a reconnect.
      repair();
      const forwarder = harness.start({ url: `mqtts://127.0.0.1:${server.port}`, tls: files });
      await harness.until('it connects', () => forwarder.status().state === 'connected', 10);
      writeFileSync(files.key, '');
      await harness.append(['waits']);
      await harness.until('it arrives', () => server.bodies().length === 1, 1);
      server.connections.at(-1)?.socket.destroy();
      await harness.append(['later']);
      await harness.until(
        'the key is found empty',
        () => /key.* is empty/.test(forwarder.status().lastError ?? ''),
        10,
      );
      repair();
      await harness.until('the waiting message arrives', () => server.bodies().includes('later'), 10);
    });
    rmSync(folder, { recursive: true });
  },
);

secure('an expired server certificate is reported, with an unset clock as possible cause', async () => {
  await withServer(serverTls('expired'), async (harness, server) => {
    const result = await resultOf(harness, server, { ca: fileOf('expired.pem') }, 'localhost');
    assert.match(
      result,
      /the certificate has expired \(CERT_HAS_EXPIRED\), by this machine's clock \(2026-01-01\)/,
    );
    harness.queue.clock.jump(-harness.queue.clock.wall());
    const unset = await resultOf(harness, server, { ca: fileOf('expired.pem') }, 'localhost');
    assert.match(
      unset,
      /has expired \(CERT_HAS_EXPIRED\), but this machine's clock is not set \(1970-01-01\): set the clock/,
    );
  });
  const clock: Pick<Clock, 'wall'> = { wall: () => 5000 };
  const early = Object.assign(new Error('certificate is not yet valid'), { code: 'CERT_NOT_YET_VALID' });
  assert.match(
    troubleOf(early, clock),
    /not valid yet \(CERT_NOT_YET_VALID\), but this machine's clock is not set \(1970-01-01\)/,
  );
});

secure.run();
