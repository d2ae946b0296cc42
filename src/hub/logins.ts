import type { Peer } from '../broker/listeners/socket.ts';
import type { Clock } from '../core/clock.ts';
import { reasonOf } from '../core/errors.ts';
import { MAX_REMEMBERED_PASSWORDS, MAX_VERIFICATIONS, MAX_WAITING_VERIFICATIONS } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import { verifyPassword } from '../crypto/passwords.ts';
import { createRemembered } from '../crypto/remembered.ts';
import { createLoginAttempts } from './login-attempts.ts';
import { createTurns } from './turns.ts';

export type Login = { readonly user: string; readonly password: Buffer; readonly peer: Peer };

export type LoginResult = 'accepted' | 'refused' | 'tooMany';

export type LoginsSettings = {
  /** By user, the line that `skerry passwd` printed. */
  readonly hashes: ReadonlyMap<string, string>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};

/** Compares users' passwords, and keeps guessing from being worth it. */
export function createLogins({ hashes, clock, random, log }: LoginsSettings) {
  const addresses = createLoginAttempts(clock);
  // Apart, so that no flood of names makes the users' failures forgotten.
  const users = createLoginAttempts(clock);
  const strangers = createLoginAttempts(clock);
  const remembered = createRemembered(random, MAX_REMEMBERED_PASSWORDS);
  const turns = createTurns(MAX_VERIFICATIONS, MAX_WAITING_VERIFICATIONS);
  // A name that is no user's costs what a wrong password costs, and so tells nothing.
  const [decoy] = hashes.values();

  const byName = (user: string) => (hashes.has(user) ? users : strangers);

  /** What needs no hash. A password that was right from there before is heard though others fail with that name. */
  const early = ({ user, password, peer }: Login): LoginResult | undefined => {
    if (!peer.local && addresses.refuses(peer.address)) return 'tooMany';
    const known = remembered.has(labelOf(user, peer), password);
    if (known && !peer.local) return 'accepted';
    if (byName(user).refuses(user)) return 'tooMany';
    return known ? 'accepted' : undefined;
  };

  const judge = ({ user, password, peer }: Login, right: boolean): LoginResult => {
    if (right) {
      remembered.add(labelOf(user, peer), password);
      users.succeeded(user);
      addresses.succeeded(peer.address);
      return 'accepted';
    }
    tell(`as user "${user}"`, byName(user).failed(user));
    if (!peer.local) tell(`from ${peer.address}`, addresses.failed(peer.address));
    return 'refused';
  };

  const tell = (whose: string, wait: number): void => {
    if (wait > 0) log.warn(`Logins ${whose} failed too often: none is heard for ${wait / 1000} s.`);
  };

  const verify = async (login: Login, stored: string, isUser: boolean): Promise<LoginResult> => {
    // Others may have failed, or succeeded, while it waited.
    const result = early(login);
    if (result !== undefined) return result;
    try {
      const same = await verifyPassword(login.password, stored);
      return judge(login, same && isUser);
    } catch (thrown) {
      log.error(`A password could not be compared: ${reasonOf(thrown)}`);
      return 'tooMany';
    }
  };

  /** Tells `done` at once, or when the password was compared. */
  return (login: Login, done: (result: LoginResult) => void): void => {
    const isUser = hashes.has(login.user);
    const stored = hashes.get(login.user) ?? decoy;
    const result = early(login) ?? (stored === undefined ? 'refused' : undefined);
    const compare = async (line: string): Promise<void> => done(await verify(login, line, isUser));
    if (result !== undefined) done(result);
    else if (stored !== undefined && !turns.take(() => compare(stored))) done('tooMany');
  };
}

function labelOf(user: string, { address }: Peer): string {
  return `${user}\0${address}`;
}
