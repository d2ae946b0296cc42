import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createIdentities } from '../../src/auth/identities.ts';
import type { Peer } from '../../src/broker/listeners/socket.ts';
import type { Identity } from '../../src/broker/types.ts';
import { hashPassword } from '../../src/crypto/passwords.ts';
import { parseManifest } from '../../src/manifest/read.ts';
import { createTestClock } from '../harness/clock.ts';

const random = { fraction: () => 0, bytes: (count: number) => randomBytes(count) };
const SILENT = { info: () => {}, warn: () => {}, error: () => {} };
const PEER: Peer = { local: true, address: '127.0.0.1', certificate: undefined };

function setUp(manifest: object) {
  const reasons: string[] = [];
  const identities = createIdentities({ clock: createTestClock(), random, log: SILENT });
  identities.update(parseManifest(JSON.stringify({ name: 'a', ...manifest }), 'm.json'));
  const attempt = (
    username: string | undefined,
    password: string,
    address = '127.0.0.1',
  ): Promise<Identity | string> =>
    new Promise(done => {
      const credentials = {
        username,
        password: Buffer.from(password),
        clientId: 'c',
        peer: { ...PEER, address },
      };
      identities.authenticate(credentials, outcome => {
        if ('reason' in outcome) reasons.push(outcome.reason);
        done('reason' in outcome ? outcome.kind : outcome);
      });
    });
  return { identities, reasons, attempt };
}

const MODULES = { camera: { exec: ['x'] } };
const USERS = {
  alice: { password: await hashPassword(Buffer.from('right'), random) },
  bob: { certificate: 'bob' },
};

const identities = suite('auth: identities');

identities(
  'the refusal of a wrong password takes as long for an unknown name as for a user or module',
  async () => {
    const { attempt } = setUp({ modules: MODULES, users: USERS });
    const fastest = new Map<string, number>();
    for (let n = 0; n < 7; n++) {
      for (const name of ['camera', 'alice', 'bob', 'nobody']) {
        const began = performance.now();
        assert.is(await attempt(name, 'wrong', `127.0.0.${n + 1}`), 'refused');
        fastest.set(name, Math.min(performance.now() - began, fastest.get(name) ?? Number.POSITIVE_INFINITY));
      }
    }
    const times = Array.from(fastest.values());
    // Without a comparison, the time would be a fortieth.
    assert.ok(Math.max(...times) < 4 * Math.min(...times), JSON.stringify([...fastest]));
  },
);

identities(
  'a login of a module with the correct token is accepted, also after too many logins with a wrong token',
  async () => {
    const { identities: them, attempt } = setUp({ modules: MODULES, users: USERS });
    for (let n = 0; n < 6; n++) await attempt('camera', 'wrong');
    assert.is(await attempt('camera', 'wrong'), 'tooMany');
    assert.equal(await attempt('camera', them.tokenOf('camera')), { kind: 'module', module: 'camera' });
  },
);

identities('a hub that accepts any user name refuses the name of a module with a wrong token', async () => {
  const { attempt } = setUp({ modules: MODULES });
  assert.is(await attempt('camera', 'wrong'), 'refused');
  assert.equal(await attempt('any', 'thing'), { kind: 'client', user: undefined });
});

identities('the reason of each refused login is passed to the log', async () => {
  const { reasons, attempt } = setUp({ modules: MODULES, users: USERS });
  for (const name of ['alice', 'bob', 'nobody', 'camera', '#', undefined]) await attempt(name, 'wrong');
  assert.equal(reasons, [
    'wrong password',
    'no user with a password has this name',
    'no user with a password has this name',
    'wrong module token',
    'invalid user name',
    'no user name, and the manifest has no "anonymous"',
  ]);
});

identities.run();
