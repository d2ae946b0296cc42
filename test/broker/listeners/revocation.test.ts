import { once } from 'node:events';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CERTIFICATE_RELOAD_MS } from '../../../src/broker/limits.ts';
import type { BrokerHarness } from '../../harness/broker.ts';
import { withBroker } from '../../harness/broker.ts';
import { ca, certificate, identity, withFiles } from '../../harness/certificates.ts';
import { ended, outcome } from '../../harness/clients/listeners.ts';
import { createTestClock } from '../../harness/clock.ts';

const EVERYTHING = { publish: ['#'], subscribe: ['#'] };
const LISTENER = { mqtts: '127.0.0.1:0' };

function port(broker: BrokerHarness): number {
  return Number(/^mqtts:\/\/127\.0\.0\.1:(\d+)$/.exec(broker.hub().status().listeners[0] ?? '')?.[1]);
}

const revocation = suite('broker: revocation lists');

revocation(
  'a client whose certificate is on a new revocation list is refused, also with a TLS session ticket',
  () => {
    const clock = createTestClock();
    return withFiles(files => {
      const crl = join(files.folder, 'crl.pem');
      copyFileSync(certificate('fleet-crl-empty.pem'), crl);
      const fleet = { ca: certificate('fleet-ca.pem'), clientCertificates: 'required', crl };
      return withBroker(
        async broker => {
          const address = `mqtts://localhost:${port(broker)}`;
          const socket = connect({ port: port(broker), host: '127.0.0.1', ca, ...identity('revoked') });
          const [session] = await once(socket, 'session');
          socket.destroy();
          for (const name of ['kept', 'revoked'])
            assert.is(await outcome(address, { ca, ...identity(name) }), 'in', name);
          copyFileSync(certificate('fleet-crl.pem'), crl);
          clock.advance(CERTIFICATE_RELOAD_MS);
          assert.is(await outcome(address, { ca, ...identity('kept') }), 'in');
          assert.not.equal(await outcome(address, { ca, ...identity('revoked') }), 'in');
          const again = connect({
            port: port(broker),
            host: '127.0.0.1',
            ca,
            ...identity('revoked'),
            session,
          });
          await ended(again);
          writeFileSync(crl, 'rubbish');
          clock.advance(CERTIFICATE_RELOAD_MS);
          assert.not.equal(await outcome(address, { ca, ...identity('revoked') }), 'in');
          assert.ok(
            broker.log.some(line => line.includes('holds no certificate revocation list in PEM')),
            broker.log.join('\n'),
          );
        },
        {
          clock,
          manifest: { listeners: [{ ...LISTENER, ...files.tls, ...fleet }], anonymous: EVERYTHING },
        },
      );
    });
  },
);

revocation.run();
