import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { connect } from 'node:tls';
import type { IClientOptions } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_RELOAD_MS } from '../../../src/broker/limits.ts';
import { alternativeNames } from '../../../src/broker/listeners/tls/certificate-names.ts';
import { MAX_LISTENER_RETRY_MS } from '../../../src/hub/limits.ts';
import type { BrokerHarness } from '../../harness/broker.ts';
import { withBroker } from '../../harness/broker.ts';
import type { Files } from '../../harness/certificates.ts';
import { ca, certificate, identity, install, withFiles } from '../../harness/certificates.ts';
import { echo, ended, enter, outcome } from '../../harness/clients/listeners.ts';
import { createTestClock } from '../../harness/clock.ts';

const EVERYTHING = { publish: ['#'], subscribe: ['#'] };
const LISTENER = { mqtts: '127.0.0.1:0' };

function port(broker: BrokerHarness): number {
  return Number(/^mqtts:\/\/127\.0\.0\.1:(\d+)$/.exec(broker.hub().status().listeners[0] ?? '')?.[1]);
}

/** Resolves to the common name in the certificate that the hub sends on a new connection. */
async function servedName(broker: BrokerHarness, options: ConnectionOptions = {}): Promise<unknown> {
  const socket = connect({ port: port(broker), host: '127.0.0.1', ca, ...options });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

const tls = suite('broker: TLS');

tls('a TLS listener accepts mqtt.js and closes a connection whose first bytes are not TLS', () =>
  withFiles(files =>
    withBroker(
      async broker => {
        const rubbish = connectTcp(port(broker), '127.0.0.1');
        rubbish.write(Buffer.alloc(1000, 7));
        const closed = ended(rubbish);
        const client = await enter(`mqtts://localhost:${port(broker)}`, { ca });
        assert.is(await echo(client, 'hello'), 'hello');
        await closed;
        await client.endAsync();
      },
      { manifest: { listeners: [{ ...LISTENER, ...files.tls }] } },
    ),
  ),
);

tls('mosquitto_pub publishes over TLS', async () => {
  if (spawnSync('mosquitto_pub', ['--help']).error !== undefined) {
    process.stdout.write('\nskipped: mosquitto-clients are not installed\n');
    return;
  }
  await withFiles(files =>
    withBroker(
      async broker => {
        const listener = await enter(`mqtts://localhost:${port(broker)}`, { ca });
        const received = new Promise(resolve =>
          listener.once('message', (_topic, body) => resolve(String(body))),
        );
        await listener.subscribeAsync('a', { qos: 1 });
        const server = ['-h', 'localhost', '-p', String(port(broker)), '--cafile', certificate('ca.pem')];
        const child = spawn('mosquitto_pub', [...server, '-t', 'a', '-m', 'hello', '-q', '1']);
        assert.equal(await once(child, 'close'), [0, null]);
        assert.is(await received, 'hello');
        await listener.endAsync();
      },
      { manifest: { listeners: [{ ...LISTENER, ...files.tls }] } },
    ),
  );
});

tls('a client that offers only TLS 1.1 is refused', () =>
  withFiles(files =>
    withBroker(
      async broker => {
        const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
        await servedName(broker, old).then(
          () => assert.unreachable(),
          (error: unknown) => assert.match(String(error), /protocol version|unsupported protocol/),
        );
        assert.is(await servedName(broker, { maxVersion: 'TLSv1.2' }), 'first');
      },
      { manifest: { listeners: [{ ...LISTENER, ...files.tls }] } },
    ),
  ),
);

tls('new connections use a new certificate, and existing connections stay open', async () => {
  const clock = createTestClock();
  await withFiles(files =>
    withBroker(
      async broker => {
        const client = await enter(`mqtts://localhost:${port(broker)}`, { ca, keepalive: 0 });
        assert.is(await servedName(broker), 'first');
        install('renewed', files.tls);
        clock.advance(CERTIFICATE_RELOAD_MS);
        assert.is(await servedName(broker), 'second');
        assert.is(await echo(client, 'still here'), 'still here');
        await client.endAsync();
      },
      { clock, manifest: { listeners: [{ ...LISTENER, ...files.tls }] } },
    ),
  );
});

/** Changes that make the certificate files of a listener unusable. */
const BREAK: readonly (readonly [how: string, act: (files: Files['tls']) => void])[] = [
  ['is not a certificate', ({ cert }) => writeFileSync(cert, 'rubbish')],
  ['belongs to another key', tls => install('renewed', { ...tls, key: `${tls.key}.other` })],
  [
    'is a symbolic link to itself',
    ({ cert }) => {
      rmSync(cert);
      symlinkSync(cert, cert);
    },
  ],
];

for (const [how, act] of BREAK) {
  tls(
    `a new certificate that ${how} is logged once, and the old certificate is used until a valid one is installed`,
    () => {
      const clock = createTestClock();
      return withFiles(files =>
        withBroker(
          async broker => {
            act(files.tls);
            clock.advance(3 * CERTIFICATE_RELOAD_MS);
            assert.is(await servedName(broker), 'first');
            assert.is(
              broker.log.filter(line => /^error broker: Cannot load a changed certificate/.test(line)).length,
              1,
            );
            rmSync(files.tls.cert, { force: true });
            install('renewed', files.tls);
            clock.advance(CERTIFICATE_RELOAD_MS);
            assert.is(await servedName(broker), 'second');
          },
          { clock, manifest: { listeners: [{ ...LISTENER, ...files.tls }] } },
        ),
      );
    },
  );
}

tls('a private key file that every user of the machine can read causes a warning in the log', () =>
  withFiles(async files => {
    const quiet = { manifest: { listeners: [{ ...LISTENER, ...files.tls }] } };
    await withBroker(async broker => assert.not.match(broker.log.join('\n'), /key\.pem/), quiet);
    chmodSync(files.tls.key, 0o644);
    await withBroker(
      async broker => assert.match(broker.log.join('\n'), /key\.pem can be read by every user/),
      quiet,
    );
  }),
);

tls(
  'a missing or invalid certificate file is named in the log and read again until the file is valid',
  () => {
    const clock = createTestClock();
    return withFiles(files => {
      const cert = join(files.folder, 'later.pem');
      const listeners = [{ ...LISTENER, ...files.tls, cert }, { mqtt: '127.0.0.1:0' }];
      return withBroker(
        async broker => {
          const reasons = (): string[] =>
            broker
              .hub()
              .status()
              .closedListeners.map(({ reason }) => reason);
          const turn = async (): Promise<void> => {
            clock.advance(MAX_LISTENER_RETRY_MS);
            await new Promise(done => setTimeout(done, 20));
          };
          assert.match(
            reasons().join(),
            /^The listener's cert \(\S+later\.pem\) cannot be read: the file does not exist\.$/,
          );
          assert.match(
            broker.log.join(),
            /warn broker: The listener's cert .* The hub tries again while it runs\./,
          );
          assert.is(broker.hub().status().listeners.length, 1);
          copyFileSync(certificate('sensor.pem'), cert);
          while (!/cannot be used together/.test(reasons().join())) await turn();
          copyFileSync(files.tls.cert, cert);
          while (reasons().length > 0) await turn();
          assert.is(await servedName(broker), 'first');
          assert.match(broker.log.join(), /info broker: The hub now listens on mqtts:\/\/127\.0\.0\.1:\d+\./);
        },
        { clock, manifest: { listeners } },
      );
    });
  },
);

const SENSOR = { certificate: 'sensor 7', publish: ['sensors/#'], subscribe: ['sensors/#'] };

tls('a client certificate of the CA authenticates the user whose `certificate` setting names it', () =>
  withFiles(async files => {
    for (const certificateName of ['sensor 7', 'sensor-7.example', 'sensor-7@example.com']) {
      const users = { s7: { ...SENSOR, certificate: certificateName } };
      const listener = {
        ...LISTENER,
        ...files.tls,
        ca: certificate('ca.pem'),
        clientCertificates: 'optional',
      };
      await withBroker(
        async broker => {
          const address = `mqtts://localhost:${port(broker)}`;
          const client = await enter(address, { ca, ...identity('sensor') });
          const [granted] = await client.subscribeAsync('sensors/#', { qos: 1 });
          assert.is(granted?.qos, 1, certificateName);
          await client.endAsync();
        },
        { manifest: { listeners: [listener], users } },
      );
    }
  }),
);

tls('a client with a certificate of another CA or without a certificate is refused', () =>
  withFiles(async files => {
    const listener = { ...LISTENER, ...files.tls, ca: certificate('ca.pem') };
    const tryWith = (broker: BrokerHarness, options: IClientOptions): Promise<string> =>
      outcome(`mqtts://localhost:${port(broker)}`, { ca, ...options });
    const optional = [{ ...listener, clientCertificates: 'optional' }];
    await withBroker(
      async broker => {
        assert.match(await tryWith(broker, identity('stranger')), /Not authorized/);
        assert.match(await tryWith(broker, {}), /Not authorized/);
        assert.is(await tryWith(broker, identity('sensor')), 'in');
      },
      { manifest: { listeners: optional, users: { s7: SENSOR } } },
    );
    const required = [{ ...listener, clientCertificates: 'required' }];
    await withBroker(
      async broker => {
        assert.not.match(await tryWith(broker, identity('stranger')), /^in$|Not authorized/);
        assert.not.match(await tryWith(broker, {}), /^in$|Not authorized/);
        assert.is(await tryWith(broker, identity('sensor')), 'in');
        const failures = broker.log.filter(line => line.includes('TLS handshake'));
        assert.equal(failures, [
          'info broker: TLS handshake with 127.0.0.1 failed: the issuer of the certificate is not trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE).',
          'info broker: TLS handshake with 127.0.0.1 failed: no client certificate was sent, and one is required (ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE).',
        ]);
      },
      { manifest: { listeners: required, anonymous: EVERYTHING } },
    );
  }),
);

tls('a failed TLS handshake is logged with the address and the reason of the failure', () =>
  withFiles(async files => {
    const listeners = [
      { ...LISTENER, ...files.tls, ca: certificate('expired.pem'), clientCertificates: 'required' },
    ];
    await withBroker(
      async broker => {
        await outcome(`mqtts://localhost:${port(broker)}`, { ca, ...identity('expired') });
        const plain = connectTcp(port(broker), '127.0.0.1');
        plain.end('GET / HTTP/1.1\r\n\r\n');
        await ended(plain);
        assert.equal(
          broker.log.filter(line => line.includes('TLS handshake')),
          [
            'info broker: TLS handshake with 127.0.0.1 failed: the certificate has expired (CERT_HAS_EXPIRED).',
            'info broker: TLS handshake with 127.0.0.1 failed: the peer uses plain HTTP instead of TLS (ERR_SSL_HTTP_REQUEST).',
          ],
        );
      },
      { manifest: { listeners, anonymous: EVERYTHING } },
    );
  }),
);

tls('quoted text in a subject alternative name of a certificate is not read as another name', () => {
  assert.equal(alternativeNames('DNS:a.b, email:c@d, IP Address:127.0.0.1, DNS:e'), ['a.b', 'c@d', 'e']);
  assert.equal(alternativeNames('URI:"x:y, DNS:admin", DNS:a'), ['a']);
  assert.equal(alternativeNames('DNS:"a, \\", DNS:admin"'), []);
  assert.equal(alternativeNames(''), []);
});

tls.run();
