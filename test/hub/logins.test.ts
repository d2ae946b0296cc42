import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Peer } from '../../src/broker/listeners/socket.ts';
import {
  FAILED_LOGIN_WINDOW,
  LOGIN_WAIT_FIRST,
  LOGIN_WAIT_MOST,
  MAX_FAILED_LOGINS,
  MAX_REMEMBERED_FAILURES,
  MAX_VERIFICATIONS,
  MAX_WAITING_VERIFICATIONS,
} from '../../src/core/limits.ts';
import { hashPassword } from '../../src/crypto/passwords.ts';
import { createLoginAttempts } from '../../src/hub/login-attempts.ts';
import type { LoginResult } from '../../src/hub/logins.ts';
import { createLogins } from '../../src/hub/logins.ts';
import { createTurns } from '../../src/hub/turns.ts';
import { createTestClock } from '../clock.ts';

const random = { fraction: () => 0, bytes: (count: number) => randomBytes(count) };
const RIGHT = await hashPassword(Buffer.from('right'), random);

const HERE: Peer = { local: true, address: '127.0.0.1', certificate: undefined };
const THERE: Peer = { local: false, address: '192.0.2.1', certificate: undefined };
const ELSEWHERE: Peer = { local: false, address: '192.0.2.2', certificate: undefined };

function logins() {
  const clock = createTestClock();
  const warnings: string[] = [];
  const log = { info: () => {}, warn: (text: string) => warnings.push(text), error: () => {} };
  const login = createLogins({
    hashes: new Map([
      ['u', RIGHT],
      ['v', RIGHT],
    ]),
    clock,
    random,
    log,
  });
  const attempt = (user: string, password: string, peer: Peer): Promise<LoginResult> =>
    new Promise(resolve => login({ user, password: Buffer.from(password), peer }, resolve));
  const fail = async (user: string, peer: Peer): Promise<void> => {
    for (let n = 0; n < MAX_FAILED_LOGINS; n++) assert.is(await attempt(user, 'wrong', peer), 'refused');
  };
  return { clock, warnings, login, attempt, fail };
}

const logging = suite('hub: logins');

logging('the right password, a wrong one, and the name of nobody', async () => {
  const { attempt } = logins();
  assert.is(await attempt('u', 'right', THERE), 'accepted');
  assert.is(await attempt('u', 'wrong', THERE), 'refused');
  assert.is(await attempt('nobody', 'right', THERE), 'refused');
});

logging('a password that was right is known at once when it comes again', async () => {
  const { attempt, login } = logins();
  await attempt('u', 'right', HERE);
  let result: LoginResult | undefined;
  login({ user: 'u', password: Buffer.from('right'), peer: HERE }, outcome => {
    result = outcome;
  });
  assert.is(result, 'accepted');
});

logging(
  'after five failures a name is not heard, not even with the right password, from anywhere',
  async () => {
    const { clock, attempt, fail, warnings } = logins();
    await fail('u', HERE);
    assert.equal(warnings, ['Logins as user "u" failed too often: none is heard for 10 s.']);
    assert.is(await attempt('u', 'right', HERE), 'tooMany');
    assert.is(await attempt('u', 'right', THERE), 'tooMany');
    assert.is(await attempt('v', 'right', HERE), 'accepted');
    clock.advance(LOGIN_WAIT_FIRST);
    assert.is(await attempt('u', 'right', HERE), 'accepted');
  },
);

logging(
  'after five failures an address is not heard, whatever name it tries; this machine always is',
  async () => {
    const { attempt, fail } = logins();
    await fail('nobody', THERE);
    assert.is(await attempt('u', 'right', THERE), 'tooMany');
    assert.is(await attempt('u', 'right', ELSEWHERE), 'accepted');
    await fail('no-other', HERE);
    assert.is(await attempt('u', 'right', HERE), 'accepted');
    assert.is(await attempt('no-other', 'right', HERE), 'tooMany');
  },
);

logging('who was in from an address gets in again from there while others guess his password', async () => {
  const { attempt, fail } = logins();
  await attempt('u', 'right', THERE);
  await fail('u', ELSEWHERE);
  assert.is(await attempt('u', 'right', ELSEWHERE), 'tooMany');
  assert.is(await attempt('u', 'right', HERE), 'tooMany');
  assert.is(await attempt('u', 'right', THERE), 'accepted');
});

logging('while two are compared a bounded number waits, and all are answered', async () => {
  const { attempt } = logins();
  const room = MAX_VERIFICATIONS + MAX_WAITING_VERIFICATIONS;
  const results = await Promise.all(Array.from({ length: room + 3 }, () => attempt('u', 'right', HERE)));
  assert.is(results.filter(result => result === 'accepted').length, room);
  assert.is(results.filter(result => result === 'tooMany').length, 3);
});

logging('guesses that come all at once are not all heard', async () => {
  const { attempt } = logins();
  const results = await Promise.all(Array.from({ length: 20 }, (_, n) => attempt('u', `wrong${n}`, HERE)));
  const heard = results.filter(result => result === 'refused').length;
  assert.ok(heard >= MAX_FAILED_LOGINS && heard < MAX_FAILED_LOGINS + MAX_VERIFICATIONS, String(heard));
});

logging('the wait doubles up to five minutes, and a quiet minute is forgiven', () => {
  const clock = createTestClock();
  const attempts = createLoginAttempts(clock);
  for (let n = 1; n < MAX_FAILED_LOGINS; n++) assert.is(attempts.failed('a'), 0);
  const waits: number[] = [];
  for (let n = 0; n < 7; n++) {
    const wait = attempts.failed('a');
    waits.push(wait);
    clock.advance(wait - 1);
    assert.ok(attempts.refuses('a'));
    clock.advance(1);
    assert.not(attempts.refuses('a'));
  }
  assert.equal(waits, [10_000, 20_000, 40_000, 80_000, 160_000, LOGIN_WAIT_MOST, LOGIN_WAIT_MOST]);
  clock.advance(FAILED_LOGIN_WINDOW + 1);
  assert.is(attempts.failed('a'), 0);
  attempts.succeeded('a');
  for (let n = 1; n < MAX_FAILED_LOGINS; n++) assert.is(attempts.failed('a'), 0);
});

logging('failures of many are remembered in a bounded table', () => {
  const attempts = createLoginAttempts(createTestClock());
  for (let n = 0; n < MAX_FAILED_LOGINS; n++) attempts.failed('first');
  for (let n = 1; n < MAX_REMEMBERED_FAILURES; n++) attempts.failed(`other ${n}`);
  assert.ok(attempts.refuses('first'));
  attempts.failed('one more');
  assert.not(attempts.refuses('first'));
});

logging('work beyond what is done at once waits for its turn, in order', async () => {
  const turns = createTurns(1, 2);
  const done: number[] = [];
  const ends: (() => void)[] = [];
  const work = (n: number) => async () => {
    await new Promise<void>(resolve => ends.push(resolve));
    done.push(n);
  };
  assert.equal(
    [1, 2, 3, 4].map(n => turns.take(work(n))),
    [true, true, true, false],
  );
  for (let n = 0; n < 3; n++) {
    ends.shift()?.();
    await new Promise(resolve => setImmediate(resolve));
  }
  assert.equal(done, [1, 2, 3]);
});

logging.run();
