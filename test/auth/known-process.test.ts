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

const known = suite('hub: a module is known by its process');

const random = { fraction: () => 0, bytes: (count: number) => randomBytes(count) };
const SILENT = { info: () => {}, warn: () => {}, error: () => {} };
const CLIENT = { kind: 'client', user: undefined };

function parsed(more: object) {
  return parseManifest(JSON.stringify({ name: 'a', ...more }), 'm.json');
}

/** Identities of a hub that finds `owner` behind each connection, and counts how often it looks. */
function stage(manifest: object, owner: PeerOwner) {
  let looks = 0;
  const identities = createIdentities({
    clock: createTestClock(),
    random,
    log: SILENT,
    findPeer: (_, done) => {
      looks += 1;
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
    if (outcome === undefined) throw new Error('it was not answered at once');
    return outcome;
  };
  return { identities, attempt, looks: () => looks };
}

const MODULES = { one: { exec: ['x'], user: 'dynamic' }, two: { exec: ['x'], user: 'dynamic' } };
const OPEN = { modules: MODULES, anonymous: { publish: ['#'], subscribe: ['#'] } };

known('a process of a module is that module, with its token or without, and nobody else', () => {
  const { identities, attempt } = stage(OPEN, { modules: ['one'] });
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
});

known('a process of two modules with one user shows which it is', () => {
  const { identities, attempt } = stage(OPEN, { modules: ['one', 'two'] });
  assert.is(attempt().kind, 'refused');
  assert.equal(attempt('two', identities.tokenOf('two')), { kind: 'module', module: 'two' });
});

known('one that cannot be found is refused, and another is who it says it is', () => {
  assert.is(stage(OPEN, 'unknown').attempt().kind, 'refused');
  assert.equal(stage(OPEN, 'other').attempt(), CLIENT);
  assert.is(stage(OPEN, { modules: ['gone'] }).attempt().kind, 'refused');
});

known('a hub that has nobody to tell apart does not look', () => {
  for (const manifest of [{}, { modules: { one: { exec: ['x'] } } }, { anonymous: { publish: ['#'] } }]) {
    const { attempt, looks } = stage(manifest, 'unknown');
    assert.equal(attempt(), CLIENT);
    assert.is(looks(), 0);
  }
});

known('who came in before the hub looked is let go once it does', () => {
  const { identities } = stage({ modules: { one: { exec: ['x'] } } }, 'other');
  const anonymous = { kind: 'client', user: undefined } as const;
  assert.is(identities.update(parsed({ modules: { one: { exec: ['y'] } } }))(anonymous), true);
  assert.is(identities.update(parsed({ modules: MODULES }))(anonymous), false);
  assert.is(identities.update(parsed({ modules: MODULES }))({ kind: 'module', module: 'one' }), true);
  assert.is(identities.update(parsed({ modules: MODULES }))(anonymous), true);
});

known('who comes by the socket of a module is it, whatever the manifest says of others', () => {
  const { attempt } = stage({ modules: { one: { exec: ['x'] } } }, 'other');
  assert.equal(attempt(undefined, undefined, 'one'), { kind: 'module', module: 'one' });
  assert.is(attempt('any', 'x', 'one').kind, 'refused');
});

known('the path of such a socket that is too long for the system is refused in a sentence', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-sockets-'));
  const listen = () => Promise.reject(new Error('it was asked to listen'));
  try {
    const { open } = createModuleSockets(join(folder, 'x'.repeat(100)), { listen });
    await open('one').then(assert.unreachable, (error: unknown) => {
      assert.match(String(error), /The socket of module "one" would be .*, and the system takes 107 bytes/);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

known.run();
