import { createHmac } from 'node:crypto';
import type { Peer } from '../broker/listeners/socket.ts';
import type { Refusal } from '../broker/types.ts';
import type { Clock } from '../core/clock.ts';
import { reasonOf } from '../core/errors.ts';
import type { Log, LogFields } from '../core/log.ts';
import { networkOf } from '../core/net/network.ts';
import type { Random } from '../core/random.ts';
import { verifyPassword } from '../crypto/passwords.ts';
import { createRemembered } from '../crypto/remembered.ts';
import { createTurns } from './fair-queue.ts';
import { MAX_REMEMBERED_PASSWORDS, MAX_VERIFICATIONS, MAX_WAITING_VERIFICATIONS } from './limits.ts';
import { createLoginAttempts } from './login-attempts.ts';

export type Login = { readonly user: string; readonly password: Buffer; readonly peer: Peer };

export type LoginResult = 'accepted' | Refusal;

export type LoginsSettings = { readonly clock: Clock; readonly random: Random; readonly log: Log };

export type Logins = {
  /** From now on these users may log in: by name, the line that `skerry passwd` printed. */
  readonly use: (hashes: ReadonlyMap<string, string>) => void;
  /** Calls `done` at once, or when the password has been compared. */
  readonly check: (login: Login, done: (result: LoginResult) => void) => void;
};

const KEY_BYTES = 32;

/**
 * Compares users' passwords and slows down guessing. Failures are counted by name and address together, and by address;
 * so nobody locks a user out elsewhere. A name that no user has takes the time of a wrong password.
 */
export function createLogins({ clock, random, log }: LoginsSettings): Logins {
  const addresses = createLoginAttempts(clock);
  // Separate tables, so that a flood of unknown names does not evict the failures of users.
  const users = createLoginAttempts(clock);
  const strangers = createLoginAttempts(clock);
  const remembered = createRemembered(random, MAX_REMEMBERED_PASSWORDS);
  const turns = createTurns(MAX_VERIFICATIONS, MAX_WAITING_VERIFICATIONS);
  const decoyKey = random.bytes(KEY_BYTES);
  let hashes: ReadonlyMap<string, string> = new Map();
  let lines: readonly string[] = [];
  /** Milliseconds from the arrival of the latest login to its answer, as far as it was compared. */
  let latest = 0;

  const attemptsAs = (user: string) => (hashes.has(user) ? users : strangers);

  /** The hash that an unknown name is compared with: always the same for a name, as if it were a user's. */
  const decoyFor = (user: string): string | undefined => {
    const digest = createHmac('sha256', decoyKey).update(user).digest();
    return lines[digest.readUInt32BE() % Math.max(1, lines.length)];
  };

  /**
   * The result that needs no hash. A password that was right from this address is always accepted; one that was right
   * elsewhere is accepted unless too many were tried from here while nothing else was compared.
   */
  const early = ({ user, password, peer }: Login): LoginResult | undefined => {
    const line = hashes.get(user);
    const from = networkOf(peer.address);
    const isKnown = (label: string): boolean => line !== undefined && remembered.has(label, password);
    if (isKnown(labelOf(user, line, from))) return 'accepted';
    const pair = pairOf(user, from);
    const barred = attemptsAs(user).refuses(pair)
      ? attemptsAs(user).takeSpare(pair)
      : !peer.local && addresses.refuses(from)
        ? addresses.takeSpare(from)
        : undefined;
    if (barred !== false && isKnown(labelOf(user, line))) return 'accepted';
    return barred === undefined ? undefined : tooMany('too many logins failed there');
  };

  const accepted = ({ user, password, peer }: Login): LoginResult => {
    const from = networkOf(peer.address);
    const line = hashes.get(user);
    remembered.add(labelOf(user, line), password);
    remembered.add(labelOf(user, line, from), password);
    users.succeeded(pairOf(user, from));
    addresses.succeeded(from);
    return 'accepted';
  };

  const refused = ({ user, peer }: Login): LoginResult => {
    const from = networkOf(peer.address);
    logLockOut(attemptsAs(user).failed(pairOf(user, from)), { user, address: from });
    if (!peer.local) logLockOut(addresses.failed(from), { address: from });
    return {
      kind: 'refused',
      reason: hashes.has(user) ? 'wrong password' : 'no user with a password has this name',
    };
  };

  const logLockOut = (wait: number, fields: LogFields): void => {
    if (wait > 0) log.warn(`Too many failed logins: locked out for ${wait / 1000} s.`, fields);
  };

  const verify = async (login: Login, line: string): Promise<LoginResult> => {
    // Others may have failed, or succeeded, while it waited.
    const result = early(login);
    if (result !== undefined) return result;
    try {
      const same = await verifyPassword(login.password, line);
      return same && hashes.get(login.user) === line ? accepted(login) : refused(login);
    } catch (thrown) {
      log.error(`A password could not be compared: ${reasonOf(thrown)}`);
      return tooMany('its password could not be compared');
    }
  };

  return {
    use: wanted => {
      hashes = wanted;
      lines = Array.from(wanted.values());
    },
    check: (login, done) => {
      const { user } = login;
      const isUser = hashes.has(user);
      const line = hashes.get(user) ?? decoyFor(user);
      const result = early(login);
      if (result !== undefined || line === undefined) return done(result ?? refused(login));
      const began = clock.monotonic();
      const compare = async (): Promise<void> => {
        const outcome = await verify(login, line);
        latest = clock.monotonic() - began;
        done(outcome);
      };
      const dropped = (): void => {
        // An unknown name is refused as late as a wrong password, at no cost.
        if (isUser) done(tooMany('too many logins wait'));
        else clock.after(latest, () => done(refused(login)));
      };
      turns.take(isUser ? 'reserved' : 'spare', user, compare, dropped);
    },
  };
}

function tooMany(reason: string): Refusal {
  return { kind: 'tooMany', reason };
}

function pairOf(user: string, from: string): string {
  return `${user}\0${from}`;
}

/** The hash is part of it: a password that has been changed is not known any more. */
function labelOf(user: string, line = '', from = ''): string {
  return `${user}\0${line}\0${from}`;
}
