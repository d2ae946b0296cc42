import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CONNECT_TIMEOUT_MS } from '../../../src/broker/limits.ts';
import { createGate } from '../../../src/broker/listeners/gate.ts';
import { listen } from '../../../src/broker/listeners/listen.ts';
import type { ListenerSettings } from '../../../src/broker/listeners/settings.ts';
import { logFor } from '../../../src/core/log.ts';
import { until } from '../../harness/binary.ts';
import { ended } from '../../harness/clients/listeners.ts';
import { createTestClock } from '../../harness/clock.ts';

const arrivals = suite('broker: connections before CONNECT');

const certificates = join(import.meta.dirname, '../../certificates');
const TLS = {
  cert: join(certificates, 'server.pem'),
  key: join(certificates, 'server.key'),
  ca: undefined,
  crl: undefined,
  clientCertificates: 'none',
} as const;
const ADDRESS = { host: '127.0.0.1', port: 0 };
const WEB = { path: '/mqtt', origins: [], hosts: [] };

/** First bytes of an incomplete TLS handshake. */
const HALF_HELLO = Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]);
const HALF_REQUEST = Buffer.from('GET /mqtt HTTP/1.1\r\nHost: x\r\n');
const HALF_CONNECT = Buffer.from([0x10, 0x20, 0, 4]);

const KINDS: readonly (readonly [ListenerSettings, Buffer])[] = [
  [{ kind: 'mqtt', ...ADDRESS }, HALF_CONNECT],
  [{ kind: 'mqtts', ...ADDRESS, tls: TLS }, HALF_HELLO],
  [{ kind: 'ws', ...ADDRESS, ...WEB }, HALF_REQUEST],
  [{ kind: 'wss', ...ADDRESS, ...WEB, tls: TLS }, HALF_HELLO],
];

arrivals(
  'a listener of each kind closes a connection without CONNECT after the timeout and accepts a new connection',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'skerry-arrivals-'));
    const unix: readonly [ListenerSettings, Buffer] = [
      { kind: 'unix', file: join(folder, 'mqtt.sock'), mode: 0o600 },
      HALF_CONNECT,
    ];
    for (const [settings, begin] of [...KINDS, unix]) {
      const clock = createTestClock();
      const log = logFor('broker', () => {});
      const gate = createGate({ clock, log, capacity: () => 10, bytes: 1 << 20 });
      const listener = await listen(settings, () => {}, { clock, log, gate });
      const open = () =>
        settings.kind === 'unix'
          ? connect(settings.file)
          : connect(Number(listener.address.split(':').at(-1)), '127.0.0.1');
      const silent = open();
      const half = open();
      half.write(begin);
      await until('both connections are accepted', () => gate.arriving() === 2);
      const closed = Promise.all([ended(silent), ended(half)]);
      clock.advance(CONNECT_TIMEOUT_MS - 1);
      assert.is(gate.arriving(), 2, settings.kind);
      clock.advance(1);
      await closed;
      await until('both places are free', () => gate.arriving() + gate.open() === 0);
      await listener.close();
    }
    rmSync(folder, { recursive: true });
  },
);

arrivals.run();
