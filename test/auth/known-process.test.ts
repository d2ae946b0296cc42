import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createIdentities } from '../../src/auth/identities.ts';
import type { Authentication } from '../../src/broker/types.ts';
import { createModuleSockets } from '../../src/hub/modules/module-sockets.ts';
import { parseManifest } from '../../src/manifest/read.ts';
import type { PeerOwner } from '../../src/supervisor/peers/find-peer.ts';
import { createTestClock } from '../harness/clock.ts';

const known = suite('auth: modules identified by their process');

const random = { fraction: () => 0, bytes: (count: number) => randomBytes(count) };
const SILENT = { info: () => {}, warn: () => {}, error: () => {} };
const CLIENT = { kind: 'client', user: undefined };

function parsed(more: object) {
  return parseManifest(JSON.stringify({ name: 'a', ...more }), 'm.json');
}

/** Creates identities that find `owner` for each connection and count the lookups. */
function setUp(manifest: object, owner: PeerOwner) {
  let lookups = 0;
  const identities = createIdentities({
    clock: createTestClock(),
    random,
    log: SILENT,
    findPeer: (_, done) => {
      lookups += 1;
      done(owner);
    },
  });
  identities.update(parsed(manifest));
  const socket = new Socket();
  const attempt = (username?: string, password?: string, module?: string): Authentication => {
    const outcomes: Authentication[] = [];
    const peer = { local: true, address: '127.0.0.1', certificate: undefined, socket, module };
    const credentials = { username, password: password === undefined ? undefined : Buffer.from(password) };
    identities.authenticate({ ...credentials, clientId: 'c', peer }, one => outcomes.push(one));
    const [outcome] = outcomes;
    if (outcome === undefined) throw new Error('the login was not answered at once');
    return outcome;
  };
  return { identities, attempt, lookups: () => lookups };
}

const MODULES = { one: { exec: ['x'], user: 'dynamic' }, two: { exec: ['x'], user: 'dynamic' } };
const OPEN = { modules: MODULES, anonymous: { publish: ['#'], subscribe: ['#'] } };

known(
  'a client whose process belongs to a module is identified as this module, with or without its token',
  () => {
    const { identities, attempt } = setUp(OPEN, { modules: ['one'] });
    const one = { kind: 'module', module: 'one' };
    assert.equal(attempt(), one);
    assert.equal(attempt('one', identities.tokenOf('one')), one);
    for (const wrong of [
      attempt('one', 'wrong'),
      attempt('two', identities.tokenOf('two')),
      attempt('any'),
      attempt(undefined, 'x'),
    ]) {
      assert.is(wrong.kind, 'refused');
    }
  },
);

known('a client whose system user is shared by two modules is refused without a module token', () => {
  const { identities, attempt } = setUp(OPEN, { modules: ['one', 'two'] });
  assert.is(attempt().kind, 'refused');
  assert.equal(attempt('two', identities.tokenOf('two')), { kind: 'module', module: 'two' });
});

known(
  'a client of an unknown process is refused, and a client of no module is accepted as a normal client',
  () => {
    assert.is(setUp(OPEN, 'unknown').attempt().kind, 'refused');
    assert.equal(setUp(OPEN, 'other').attempt(), CLIENT);
    assert.is(setUp(OPEN, { modules: ['gone'] }).attempt().kind, 'refused');
  },
);

known('the process of a client is not looked up if no module runs as its own system user', () => {
  for (const manifest of [{}, { modules: { one: { exec: ['x'] } } }, { anonymous: { publish: ['#'] } }]) {
    const { attempt, lookups } = setUp(manifest, 'unknown');
    assert.equal(attempt(), CLIENT);
    assert.is(lookups(), 0);
  }
});

known(
  'a client accepted without a process lookup is disconnected when a new manifest requires the lookup',
  () => {
    const { identities } = setUp({ modules: { one: { exec: ['x'] } } }, 'other');
    const anonymous = { kind: 'client', user: undefined } as const;
    assert.is(identities.update(parsed({ modules: { one: { exec: ['y'] } } }))(anonymous), true);
    assert.is(identities.update(parsed({ modules: MODULES }))(anonymous), false);
    assert.is(identities.update(parsed({ modules: MODULES }))({ kind: 'module', module: 'one' }), true);
    assert.is(identities.update(parsed({ modules: MODULES }))(anonymous), true);
  },
);

known(
  'a client on the socket of a module is identified as this module, and a login with another name is refused',
  () => {
    const { attempt } = setUp({ modules: { one: { exec: ['x'] } } }, 'other');
    assert.equal(attempt(undefined, undefined, 'one'), { kind: 'module', module: 'one' });
    assert.is(attempt('any', 'x', 'one').kind, 'refused');
  },
);

known('a socket of a module whose path is too long for the system is refused with an error', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-sockets-'));
  const listen = () => Promise.reject(new Error('listen was called'));
  try {
    const { open } = createModuleSockets(join(folder, 'x'.repeat(100)), { listen });
    await open('one').then(assert.unreachable, (error: unknown) => {
      assert.match(String(error), /The socket path of module "one" is longer than 107 bytes \(.*\)/);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

known.run();
