import { isDeepStrictEqual } from 'node:util';
import type { Authentication, BrokerHost, Credentials, Identity, Refusal } from '../broker/types.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import { equalSecrets, newToken } from '../crypto/tokens.ts';
import { isUserName } from '../manifest/schema/access.ts';
import type { Manifest, ModuleEntry, UserEntry } from '../manifest/types.ts';
import type { FindPeer } from '../supervisor/peers/find-peer.ts';
import type { Logins } from './logins.ts';
import { createLogins } from './logins.ts';

/**
 * Authentication of broker clients. The tokens of modules are random and are created at each start of the
 * hub.
 */
export type Identities = Pick<BrokerHost, 'authenticate'> & {
  /**
   * Returns the token of a module. The module logs in with its module name and with the token as password.
   */
  readonly tokenOf: (module: string) => string;
  /** Replaces users and modules. Returns a predicate that is true for an identity that is still valid. */
  readonly update: (manifest: ClientRules) => (identity: Identity) => boolean;
};

type ClientRules = Pick<Manifest, 'modules' | 'users' | 'anonymous'>;

export type IdentitiesSettings = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Finds the process of a connection. Undefined if clients are authenticated by credentials only. */
  readonly findPeer?: FindPeer | undefined;
};

const ANONYMOUS: Identity = { kind: 'client', user: undefined };

const NO_CLIENTS: ClientRules = { modules: [], users: [], anonymous: { publish: [], subscribe: [] } };

/**
 * Creates the authentication. A module is authenticated by its process if the manifest has users or isolated
 * modules, and otherwise by its token. A user is authenticated by a password, or by a client certificate with
 * the user's certificate name. A client without credentials is accepted if the manifest has `anonymous`. A
 * client of this machine is also accepted if the manifest has neither users nor `anonymous`.
 */
export function createIdentities(settings: IdentitiesSettings): Identities {
  const tokens = new Map<string, string>();
  const logins = createLogins(settings);
  let rules = NO_CLIENTS;
  let users = usersOf(NO_CLIENTS, logins);
  let byProcess = false;

  const byCredentials: BrokerHost['authenticate'] = (credentials, done) => {
    const { username, password } = credentials;
    const token = username === undefined ? undefined : tokens.get(username);
    if (username === undefined || token === undefined) return users(credentials, done);
    if (isToken(password, token)) return done({ kind: 'module', module: username });
    // A wrong token is refused only after the time of a password check, so that the response time does not
    // reveal module names.
    return users(credentials, outcome =>
      done(outcome.kind === 'tooMany' ? outcome : refused('wrong module token')),
    );
  };

  /**
   * Authenticates a client whose process belongs to one of `modules`. The client needs no credentials.
   * Credentials of any other client are refused.
   */
  const moduleByProcess = (
    modules: readonly string[],
    { username, password }: Credentials,
  ): Authentication => {
    const [module, ...more] = modules;
    const name = username ?? (more.length === 0 ? module : undefined);
    const token = name === undefined || !modules.includes(name) ? undefined : tokens.get(name);
    if (name === undefined || token === undefined)
      return refused(
        `a process of module ${modules.map(one => `"${one}"`).join(' or ')} cannot log in as another client`,
      );
    if (username === undefined && password === undefined) return { kind: 'module', module: name };
    return isToken(password, token) ? { kind: 'module', module: name } : refused('wrong module token');
  };

  return {
    tokenOf: module => tokens.get(module) ?? '',
    update: manifest => {
      const names = new Set(manifest.modules.map(({ name }) => name));
      for (const name of tokens.keys()) if (!names.has(name)) tokens.delete(name);
      for (const name of names) if (!tokens.has(name)) tokens.set(name, newToken(settings.random));
      const credentials = new Map(rules.users.map(user => [user.name, credentialsOf(user)]));
      const same = new Set(
        manifest.users
          .filter(user => isDeepStrictEqual(credentials.get(user.name), credentialsOf(user)))
          .map(({ name }) => name),
      );
      if (!isDeepStrictEqual(rules.users, manifest.users) || rules.anonymous !== manifest.anonymous)
        users = usersOf(manifest, logins);
      // True if authentication by process begins with this manifest. All existing connections of users and
      // anonymous clients are then closed. A module's process could have opened such a connection with the
      // credentials of another client.
      const unproven = !byProcess && rules.modules.length > 0 && authenticatesProcesses(manifest);
      rules = manifest;
      byProcess = authenticatesProcesses(manifest);
      return identity => {
        if (identity.kind === 'module') return tokens.has(identity.module);
        if (unproven) return false;
        if (identity.user !== undefined) return same.has(identity.user);
        return manifest.anonymous !== undefined || manifest.users.length === 0;
      };
    },
    authenticate: (credentials, done) => {
      const { module, socket } = credentials.peer;
      if (module !== undefined) return done(moduleByProcess([module], credentials));
      const { findPeer } = settings;
      if (!byProcess || findPeer === undefined) return byCredentials(credentials, done);
      if (socket === undefined) return done(refused("the client's process is unknown"));
      findPeer(socket, owner => {
        if (owner === 'other') byCredentials(credentials, done);
        else
          done(
            owner === 'unknown'
              ? refused("the client's process is unknown")
              : moduleByProcess(owner.modules, credentials),
          );
      });
    },
  };
}

/**
 * Returns true if clients must be authenticated by their processes. This is necessary if clients of this
 * machine have different rights, because a module could otherwise connect as another client.
 */
function authenticatesProcesses({ modules, users }: ClientRules): boolean {
  return modules.length > 0 && (users.length > 0 || modules.some(isIsolated));
}

/** True if a module runs as another user than the hub, or in a sandbox. */
export function isIsolated({ user, sandbox }: Pick<ModuleEntry, 'user' | 'sandbox'>): boolean {
  return user !== undefined || sandbox !== 'none';
}

function isToken(password: Buffer | undefined, token: string): boolean {
  return password !== undefined && equalSecrets(password, Buffer.from(token));
}

function refused(reason: string): Refusal {
  return { kind: 'refused', reason };
}

/** Returns the credentials of a user. If the credentials change, the user's connections are closed. */
function credentialsOf({ password, certificate }: UserEntry): unknown {
  return { password, certificate };
}

/** Creates the authentication of clients that are not modules. */
function usersOf({ users, anonymous }: ClientRules, logins: Logins): BrokerHost['authenticate'] {
  const holders = new Map<string, string>();
  const hashes = new Map<string, string>();
  for (const { name, password, certificate } of users) {
    if (certificate !== undefined) holders.set(certificate, name);
    if (password !== undefined) hashes.set(name, password);
  }
  logins.setUsers(hashes);
  const isOpen = users.length === 0 && anonymous === undefined;

  /** Returns the user of the client certificate. Undefined if CONNECT contains the name of another user. */
  const holderOf = ({ peer, username }: Credentials): string | undefined => {
    for (const name of peer.certificate ?? []) {
      const user = holders.get(name);
      if (user !== undefined && (username === undefined || username === user)) return user;
    }
    return undefined;
  };

  return (credentials, done) => {
    const { username, password, peer } = credentials;
    const holder = holderOf(credentials);
    if (holder !== undefined) return done({ kind: 'client', user: holder });
    if (isOpen)
      return done(
        peer.local ? ANONYMOUS : refused('only this machine may connect while the manifest has no "users"'),
      );
    if (username === undefined)
      return done(
        anonymous === undefined ? refused('no user name, and the manifest has no "anonymous"') : ANONYMOUS,
      );
    if (password === undefined) return done(refused('no password and no client certificate of a user'));
    if (!isUserName(username)) return done(refused('invalid user name'));
    logins.check({ user: username, password, peer }, result =>
      done(result === 'accepted' ? { kind: 'client', user: username } : result),
    );
  };
}
