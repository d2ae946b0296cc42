import { randomBytes, scryptSync } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { QueueLane } from '../../src/auth/fair-queue.ts';
import { createFairQueue } from '../../src/auth/fair-queue.ts';
import {
  FAILED_LOGIN_WINDOW_MS,
  INITIAL_LOCKOUT_MS,
  MAX_FAILED_LOGINS,
  MAX_LOCKOUT_MS,
  MAX_REMEMBERED_FAILURES,
  MAX_SPARE_LOGINS,
  MAX_VERIFICATIONS,
  MAX_WAITING_VERIFICATIONS,
} from '../../src/auth/limits.ts';
import { createLoginAttempts } from '../../src/auth/login-attempts.ts';
import type { LoginResult } from '../../src/auth/logins.ts';
import { createLogins } from '../../src/auth/logins.ts';
import type { Peer } from '../../src/broker/listeners/socket.ts';
import { logFor } from '../../src/core/log.ts';
import { logLine } from '../../src/core/logging/line.ts';
import { createTestClock } from '../harness/clock.ts';

const random = { fraction: () => 0, bytes: (count: number) => randomBytes(count) };

/** Returns a hash in the format of `hashPassword` with a low cost, for tests with many logins. */
function cheapHash(password: string): string {
  const salt = randomBytes(16);
  const hash = scryptSync(password, salt, 32, { N: 2 ** 4, r: 8, p: 1 });
  const [saltText, hashText] = [salt, hash].map(bytes => bytes.toString('base64').replace(/=+$/, ''));
  return `$scrypt$ln=4,r=8,p=1$${saltText}$${hashText}`;
}

const RIGHT = cheapHash('right');

const USERS = new Map([
  ['u', RIGHT],
  ['v', RIGHT],
]);

const HERE: Peer = { local: true, address: '127.0.0.1', certificate: undefined };
const THERE: Peer = { local: false, address: '192.0.2.1', certificate: undefined };
const ELSEWHERE: Peer = { local: false, address: '192.0.2.2', certificate: undefined };

function logins() {
  const clock = createTestClock();
  const warnings: string[] = [];
  const log = logFor('broker', (...line) => warnings.push(logLine(...line)));
  const { check: login, setUsers: use } = createLogins({ clock, random, log });
  use(USERS);
  const attempt = (user: string, password: string, peer: Peer): Promise<string> =>
    new Promise(resolve =>
      login({ user, password: Buffer.from(password), peer }, result =>
        resolve(typeof result === 'string' ? result : result.kind),
      ),
    );
  const fail = async (user: string, peer: Peer): Promise<void> => {
    for (let n = 0; n < MAX_FAILED_LOGINS; n++) assert.is(await attempt(user, 'wrong', peer), 'refused');
  };
  return { clock, warnings, login, use, attempt, fail };
}

const logging = suite('auth: logins');

logging('a correct password is accepted, and a wrong password or an unknown name is refused', async () => {
  const { attempt } = logins();
  assert.is(await attempt('u', 'right', THERE), 'accepted');
  assert.is(await attempt('u', 'wrong', THERE), 'refused');
  assert.is(await attempt('nobody', 'right', THERE), 'refused');
});

logging('a password that was verified once is accepted at the next login without a new hash', async () => {
  const { attempt, login } = logins();
  await attempt('u', 'right', HERE);
  let result: LoginResult | undefined;
  login({ user: 'u', password: Buffer.from('right'), peer: HERE }, outcome => {
    result = outcome;
  });
  assert.is(result, 'accepted');
});

logging(
  'five failed logins lock a user name out only for the address from which the logins came',
  async () => {
    const { clock, attempt, fail, warnings } = logins();
    await fail('u', HERE);
    assert.equal(warnings, [
      'warn  broker: Refusing further logins for 10 s, because too many logins failed. user=u address=127.0.0.1',
    ]);
    assert.is(await attempt('u', 'right', HERE), 'tooMany');
    assert.is(await attempt('u', 'right', THERE), 'accepted');
    assert.is(await attempt('v', 'right', HERE), 'accepted');
    clock.advance(INITIAL_LOCKOUT_MS);
    assert.is(await attempt('u', 'right', HERE), 'accepted');
  },
);

logging(
  'five failed logins lock a remote address out for every user name, but do not lock out the local address',
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

logging(
  'a user who has logged in from an address can log in from this address after any number of failed logins',
  async () => {
    for (const peer of [HERE, THERE]) {
      const { clock, attempt, fail } = logins();
      await attempt('u', 'right', peer);
      await fail('u', peer);
      for (let n = 0; n < 2 * MAX_SPARE_LOGINS; n++)
        assert.is(await attempt('u', `guess ${n}`, peer), 'tooMany');
      assert.is(await attempt('u', 'right', peer), 'accepted');
      clock.advance(FAILED_LOGIN_WINDOW_MS + MAX_LOCKOUT_MS);
      assert.is(await attempt('u', 'right', peer), 'accepted');
    }
  },
);

logging('a verified password is accepted from another address, also during a lockout', async () => {
  const { attempt, fail } = logins();
  await attempt('u', 'right', THERE);
  await fail('u', ELSEWHERE);
  assert.is(await attempt('u', 'right', ELSEWHERE), 'accepted');
  await fail('u', HERE);
  assert.is(await attempt('u', 'right', HERE), 'accepted');
});

logging(
  'during a lockout at most MAX_SPARE_LOGINS guesses are checked against a password verified at another address',
  async () => {
    const { attempt, fail } = logins();
    await attempt('u', 'right', THERE);
    await fail('u', ELSEWHERE);
    for (let n = 0; n < MAX_SPARE_LOGINS; n++)
      assert.is(await attempt('u', `guess ${n}`, ELSEWHERE), 'tooMany');
    assert.is(await attempt('u', 'right', ELSEWHERE), 'tooMany');
    assert.is(await attempt('u', 'right', THERE), 'accepted');
  },
);

logging('a changed password is removed from the cache, and other passwords stay cached', async () => {
  const { attempt, login, use } = logins();
  await attempt('u', 'right', THERE);
  await attempt('v', 'right', THERE);
  use(new Map([...USERS, ['u', cheapHash('new')]]));
  assert.is(await attempt('u', 'right', THERE), 'refused');
  let result: LoginResult | undefined;
  login({ user: 'v', password: Buffer.from('right'), peer: THERE }, outcome => {
    result = outcome;
  });
  assert.is(result, 'accepted');
});

logging('a lockout of one IPv6 address applies to all addresses of the same /64 network', async () => {
  const { attempt, fail } = logins();
  const host = (address: string): Peer => ({ ...THERE, address });
  await fail('u', host('2001:db8:0:1::5'));
  assert.is(await attempt('u', 'right', host('2001:db8:0:1:ffff::6')), 'tooMany');
  assert.is(await attempt('u', 'right', host('2001:db8:0:2::5')), 'accepted');
});

logging(
  'a login is refused if the maximum number of logins already waits for the check of the password',
  async () => {
    const { attempt } = logins();
    const room = MAX_VERIFICATIONS + MAX_WAITING_VERIFICATIONS;
    const results = await Promise.all(Array.from({ length: room + 3 }, () => attempt('u', 'right', HERE)));
    assert.is(results.filter(result => result === 'accepted').length, room);
    assert.is(results.filter(result => result === 'tooMany').length, 3);
  },
);

logging('a flood of logins with one name or unknown names does not block other users', async () => {
  for (const flooder of ['u', undefined]) {
    const { clock, attempt } = logins();
    const from = (n: number): Peer => ({ ...THERE, address: `10.0.${n >> 8}.${n & 255}` });
    const answered: string[] = [];
    const flood = Array.from({ length: 4 * MAX_WAITING_VERIFICATIONS }, async (_, n) => {
      answered.push(await attempt(flooder ?? `name${n}`, 'wrong', from(n)));
    });
    assert.is(await attempt('v', 'right', ELSEWHERE), 'accepted');
    // At most the running verifications and an equal number of turns were before this login.
    assert.ok(answered.filter(result => result === 'refused').length <= 4, answered.join());
    clock.advance(FAILED_LOGIN_WINDOW_MS);
    await Promise.all(flood);
  }
});

logging(
  'each of many simultaneous logins with unknown names is refused as if the password were wrong',
  async () => {
    const { clock, attempt } = logins();
    const from = (n: number): Peer => ({ ...THERE, address: `10.0.${n >> 8}.${n & 255}` });
    const flood = Array.from({ length: 4 * MAX_WAITING_VERIFICATIONS }, (_, n) =>
      attempt(`name${n}`, 'x', from(n)),
    );
    clock.advance(FAILED_LOGIN_WINDOW_MS);
    assert.equal(new Set(await Promise.all(flood)), new Set(['refused']));
  },
);

logging('twenty simultaneous wrong passwords start the lockout before all are verified', async () => {
  const { attempt } = logins();
  const results = await Promise.all(Array.from({ length: 20 }, (_, n) => attempt('u', `wrong${n}`, HERE)));
  const verified = results.filter(result => result === 'refused').length;
  assert.ok(
    verified >= MAX_FAILED_LOGINS && verified < MAX_FAILED_LOGINS + MAX_VERIFICATIONS,
    String(verified),
  );
});

logging('a lockout doubles up to five minutes, and is reset after a minute without failures', () => {
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
  assert.equal(waits, [10_000, 20_000, 40_000, 80_000, 160_000, MAX_LOCKOUT_MS, MAX_LOCKOUT_MS]);
  clock.advance(FAILED_LOGIN_WINDOW_MS + 1);
  assert.is(attempts.failed('a'), 0);
  attempts.succeeded('a');
  for (let n = 1; n < MAX_FAILED_LOGINS; n++) assert.is(attempts.failed('a'), 0);
});

logging('failed logins are counted in a table of bounded size', () => {
  const attempts = createLoginAttempts(createTestClock());
  for (let n = 0; n < MAX_FAILED_LOGINS; n++) attempts.failed('first');
  for (let n = 1; n < MAX_REMEMBERED_FAILURES; n++) attempts.failed(`other ${n}`);
  assert.ok(attempts.refuses('first'));
  attempts.failed('one more');
  assert.not(attempts.refuses('first'));
});

/** Creates a fair queue whose work ends on request. */
function createQueue(atOnce: number, mostWaiting: number) {
  const turns = createFairQueue(atOnce, mostWaiting);
  const begun: string[] = [];
  const dropped: string[] = [];
  const ends: (() => void)[] = [];
  const run = (lane: QueueLane, key: string): void => {
    const work = (): Promise<void> => {
      begun.push(key);
      return new Promise(resolve => ends.push(resolve));
    };
    turns.run(lane, key, work, () => dropped.push(key));
  };
  const end = async (): Promise<void> => {
    ends.shift()?.();
    await new Promise(resolve => setImmediate(resolve));
  };
  return { run, end, begun, dropped };
}

logging(
  'the work queue keeps a slot free for reserved work and alternates reserved and low-priority work',
  async () => {
    const { run, end, begun } = createQueue(2, 9);
    for (const key of ['s1', 's2']) run('spare', key);
    assert.equal(begun, ['s1']);
    for (const key of ['r1', 'r2', 'r3']) run('reserved', key);
    assert.equal(begun, ['s1', 'r1']);
    for (let n = 0; n < 4; n++) await end();
    assert.equal(begun, ['s1', 'r1', 's2', 'r2', 'r3']);
  },
);

logging('a full work queue drops the newest work of the key with the most waiting work', async () => {
  const { run, end, begun, dropped } = createQueue(2, 4);
  for (const key of ['a', 'a', 'a', 'a', 'a', 'a', 'a']) run('reserved', key);
  assert.equal(dropped, ['a']);
  for (const key of ['b', 'c', 'b']) run('reserved', key);
  assert.equal(dropped, ['a', 'a', 'a', 'b']);
  for (let n = 0; n < 4; n++) await end();
  assert.equal(begun, ['a', 'a', 'a', 'b', 'c', 'a']);
});

logging.run();
