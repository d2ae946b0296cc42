import { createHmac } from 'node:crypto';
import type { Peer } from '../broker/listeners/socket.ts';
import type { Refusal } from '../broker/types.ts';
import type { Clock } from '../core/clock.ts';
import { reasonOf } from '../core/errors.ts';
import type { Log, LogFields } from '../core/log.ts';
import { networkOf } from '../core/net/network.ts';
import type { Random } from '../core/random.ts';
import { verifyPassword } from '../crypto/passwords.ts';
import { createSecretCache } from '../crypto/secret-cache.ts';
import { createFairQueue } from './fair-queue.ts';
import { MAX_REMEMBERED_PASSWORDS, MAX_VERIFICATIONS, MAX_WAITING_VERIFICATIONS } from './limits.ts';
import { createLoginAttempts } from './login-attempts.ts';

export type Login = { readonly user: string; readonly password: Buffer; readonly peer: Peer };

export type LoginResult = 'accepted' | Refusal;

export type LoginsSettings = { readonly clock: Clock; readonly random: Random; readonly log: Log };

export type Logins = {
  /** Replaces the password hashes by user name. Each hash is a line as `skerry passwd` prints it. */
  readonly setUsers: (hashes: ReadonlyMap<string, string>) => void;
  /** Verifies a login. Calls `done` synchronously if no password must be hashed. */
  readonly check: (login: Login, done: (result: LoginResult) => void) => void;
};

const KEY_BYTES = 32;

/**
 * Creates the password check, with a lockout against guessing. Failures are counted per address, and per pair
 * of user name and address, so that an attacker cannot lock out a user at other addresses. An unknown user
 * name is refused after the same time as a wrong password.
 */
export function createLogins({ clock, random, log }: LoginsSettings): Logins {
  const addresses = createLoginAttempts(clock);
  // Users and unknown names have separate tables, so that many logins with unknown names do not evict the
  // failures of users.
  const users = createLoginAttempts(clock);
  const unknownNames = createLoginAttempts(clock);
  const rightPasswords = createSecretCache(random, MAX_REMEMBERED_PASSWORDS);
  const queue = createFairQueue(MAX_VERIFICATIONS, MAX_WAITING_VERIFICATIONS);
  const decoyKey = random.bytes(KEY_BYTES);
  let hashes: ReadonlyMap<string, string> = new Map();
  let lines: readonly string[] = [];
  /** Duration in milliseconds of the last login whose password was hashed. */
  let lastLatencyMs = 0;

  const attemptsAs = (user: string) => (hashes.has(user) ? users : unknownNames);

  /**
   * Returns a hash that is compared with the password of an unknown user, so that the check takes as long as
   * for a known user. The same name always has the same hash.
   */
  const decoyFor = (user: string): string | undefined => {
    const digest = createHmac('sha256', decoyKey).update(user).digest();
    return lines[digest.readUInt32BE() % Math.max(1, lines.length)];
  };

  /**
   * Returns the result of a login that needs no hashing. Undefined if the password must be hashed. A cached
   * password is accepted even during a lockout. From an address where the password was correct before, the
   * number of such logins is unlimited. From any other address, it is at most MAX_SPARE_LOGINS.
   */
  const cachedResult = ({ user, password, peer }: Login): LoginResult | undefined => {
    const line = hashes.get(user);
    const from = networkOf(peer.address);
    const isKnown = (key: string): boolean => line !== undefined && rightPasswords.has(key, password);
    if (isKnown(cacheKey(user, line, from))) return 'accepted';
    const pair = pairOf(user, from);
    // Undefined without a lockout of the user name or of the address. During a lockout: true if this login
    // can use the cache, false if MAX_SPARE_LOGINS other logins have used the cache.
    const spare = attemptsAs(user).refuses(pair)
      ? attemptsAs(user).takeSpare(pair)
      : !peer.local && addresses.refuses(from)
        ? addresses.takeSpare(from)
        : undefined;
    if (spare !== false && isKnown(cacheKey(user, line))) return 'accepted';
    return spare === undefined ? undefined : tooMany('locked out after too many failed logins');
  };

  const accept = ({ user, password, peer }: Login): LoginResult => {
    const from = networkOf(peer.address);
    const line = hashes.get(user);
    rightPasswords.add(cacheKey(user, line), password);
    rightPasswords.add(cacheKey(user, line, from), password);
    users.succeeded(pairOf(user, from));
    addresses.succeeded(from);
    return 'accepted';
  };

  const refuse = ({ user, peer }: Login): LoginResult => {
    const from = networkOf(peer.address);
    logLockOut(attemptsAs(user).failed(pairOf(user, from)), { user, address: from });
    if (!peer.local) logLockOut(addresses.failed(from), { address: from });
    return {
      kind: 'refused',
      reason: hashes.has(user) ? 'wrong password' : 'no user with a password has this name',
    };
  };

  const logLockOut = (wait: number, fields: LogFields): void => {
    if (wait > 0)
      log.warn(`Refusing further logins for ${wait / 1000} s, because too many logins failed.`, fields);
  };

  const verify = async (login: Login, line: string): Promise<LoginResult> => {
    // The cache and the lockouts can have changed while this login waited in the queue.
    const result = cachedResult(login);
    if (result !== undefined) return result;
    try {
      const same = await verifyPassword(login.password, line);
      return same && hashes.get(login.user) === line ? accept(login) : refuse(login);
    } catch (thrown) {
      log.error(`Cannot verify the password of user "${login.user}": ${reasonOf(thrown)}`);
      return tooMany('the password could not be verified');
    }
  };

  return {
    setUsers: wanted => {
      hashes = wanted;
      lines = Array.from(wanted.values());
    },
    check: (login, done) => {
      const { user } = login;
      const isUser = hashes.has(user);
      const line = hashes.get(user) ?? decoyFor(user);
      const result = cachedResult(login);
      if (result !== undefined || line === undefined) return done(result ?? refuse(login));
      const startedAt = clock.monotonic();
      const compare = async (): Promise<void> => {
        const outcome = await verify(login, line);
        lastLatencyMs = clock.monotonic() - startedAt;
        done(outcome);
      };
      const dropped = (): void => {
        // A login with an unknown name is refused only after the time of a password check, so that the
        // response time does not reveal which names exist.
        if (isUser) done(tooMany('too many logins are waiting'));
        else clock.after(lastLatencyMs, () => done(refuse(login)));
      };
      queue.run(isUser ? 'reserved' : 'spare', user, compare, dropped);
    },
  };
}

function tooMany(reason: string): Refusal {
  return { kind: 'tooMany', reason };
}

function pairOf(user: string, from: string): string {
  return `${user}\0${from}`;
}

/**
 * Returns the cache key of a correct password. The hash is part of the key, so a changed password is not
 * found.
 */
function cacheKey(user: string, line = '', from = ''): string {
  return `${user}\0${line}\0${from}`;
}
