import { isDeepStrictEqual } from 'node:util';
import type { Authentication, BrokerHost, Credentials, Identity, Refusal } from '../broker/types.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import { newToken, sameSecret } from '../crypto/tokens.ts';
import { isUserName } from '../manifest/schema/access.ts';
import type { Manifest, ModuleEntry, UserEntry } from '../manifest/types.ts';
import type { FindPeer } from '../supervisor/peers/find-peer.ts';
import type { Logins } from './logins.ts';
import { createLogins } from './logins.ts';

/** Who may connect to the broker. Tokens live as long as the hub runs: each start makes new ones. */
export type Identities = Pick<BrokerHost, 'authenticate'> & {
  /** The secret that a module shows together with its name. */
  readonly tokenOf: (module: string) => string;
  /** From now on these may connect. Returns whether somebody who was let in before would be let in as the same. */
  readonly admit: (manifest: Admitted) => (identity: Identity) => boolean;
};

type Admitted = Pick<Manifest, 'modules' | 'users' | 'anonymous'>;

export type IdentitiesSettings = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Undefined: clients are known by what they show alone. */
  readonly findPeer?: FindPeer | undefined;
};

const ANONYMOUS: Identity = { kind: 'client', user: undefined };

const NOBODY: Admitted = { modules: [], users: [], anonymous: { publish: [], subscribe: [] } };

/**
 * A module is known by its process where the manifest tells clients apart, whatever that process shows; else it shows its
 * token. A user shows his password, or a certificate with his name in it. Who shows nothing is let in
 * where the manifest has grants for `anonymous`, and on this machine as long as it says nothing of access at all.
 */
export function createIdentities(settings: IdentitiesSettings): Identities {
  const tokens = new Map<string, string>();
  const logins = createLogins(settings);
  let admitted = NOBODY;
  let users = usersOf(NOBODY, logins);
  let byProcess = false;

  const byCredentials: BrokerHost['authenticate'] = (credentials, done) => {
    const { username, password } = credentials;
    const token = username === undefined ? undefined : tokens.get(username);
    if (username === undefined || token === undefined) return users(credentials, done);
    if (isToken(password, token)) return done({ kind: 'module', module: username });
    // As late as for any other name, so that the time does not tell which names are modules.
    return users(credentials, outcome =>
      done(outcome.kind === 'tooMany' ? outcome : refused('wrong token of a module')),
    );
  };

  /** A process of one of `modules` is that one: it need show nothing, and cannot show to be another. */
  const oneOf = (modules: readonly string[], { username, password }: Credentials): Authentication => {
    const [module, ...more] = modules;
    const name = username ?? (more.length === 0 ? module : undefined);
    const token = name === undefined || !modules.includes(name) ? undefined : tokens.get(name);
    if (name === undefined || token === undefined)
      return refused(
        `a process of module ${modules.map(one => `"${one}"`).join(' or ')}, which can be nobody else`,
      );
    if (username === undefined && password === undefined) return { kind: 'module', module: name };
    return isToken(password, token) ? { kind: 'module', module: name } : refused('wrong token of a module');
  };

  return {
    tokenOf: module => tokens.get(module) ?? '',
    admit: manifest => {
      const names = new Set(manifest.modules.map(({ name }) => name));
      for (const name of tokens.keys()) if (!names.has(name)) tokens.delete(name);
      for (const name of names) if (!tokens.has(name)) tokens.set(name, newToken(settings.random));
      const proofs = new Map(admitted.users.map(user => [user.name, proofOf(user)]));
      const same = new Set(
        manifest.users
          .filter(user => isDeepStrictEqual(proofs.get(user.name), proofOf(user)))
          .map(({ name }) => name),
      );
      if (!isDeepStrictEqual(admitted.users, manifest.users) || admitted.anonymous !== manifest.anonymous)
        users = usersOf(manifest, logins);
      // Processes of modules may have come in as somebody else until now.
      const unproven = !byProcess && admitted.modules.length > 0 && tellsProcessesApart(manifest);
      admitted = manifest;
      byProcess = tellsProcessesApart(manifest);
      return identity => {
        if (identity.kind === 'module') return tokens.has(identity.module);
        if (unproven) return false;
        if (identity.user !== undefined) return same.has(identity.user);
        return manifest.anonymous !== undefined || manifest.users.length === 0;
      };
    },
    authenticate: (credentials, done) => {
      const { module, socket } = credentials.peer;
      if (module !== undefined) return done(oneOf([module], credentials));
      const { findPeer } = settings;
      if (!byProcess || findPeer === undefined) return byCredentials(credentials, done);
      if (socket === undefined) return done(refused('its process is not known'));
      findPeer(socket, owner => {
        if (owner === 'other') byCredentials(credentials, done);
        else
          done(owner === 'unknown' ? refused('its process is not known') : oneOf(owner.modules, credentials));
      });
    },
  };
}

/** Whether clients of this machine may do different things, so that a module must not pass for one of them. */
function tellsProcessesApart({ modules, users }: Admitted): boolean {
  return modules.length > 0 && (users.length > 0 || modules.some(isApart));
}

/** Whether a module runs as another user than the hub, or in a sandbox. */
export function isApart({ user, sandbox }: Pick<ModuleEntry, 'user' | 'sandbox'>): boolean {
  return user !== undefined || sandbox !== 'none';
}

function isToken(password: Buffer | undefined, token: string): boolean {
  return password !== undefined && sameSecret(password, Buffer.from(token));
}

function refused(reason: string): Refusal {
  return { kind: 'refused', reason };
}

/** What a user is known by. */
function proofOf({ password, certificate }: UserEntry): unknown {
  return { password, certificate };
}

/** Lets in who is no module. */
function usersOf({ users, anonymous }: Admitted, logins: Logins): BrokerHost['authenticate'] {
  const holders = new Map<string, string>();
  const hashes = new Map<string, string>();
  for (const { name, password, certificate } of users) {
    if (certificate !== undefined) holders.set(certificate, name);
    if (password !== undefined) hashes.set(name, password);
  }
  logins.use(hashes);
  const isOpen = users.length === 0 && anonymous === undefined;

  /** The user whom the certificate names; who names another user besides must prove to be him. */
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
        peer.local ? ANONYMOUS : refused('only this machine may connect while there are no "users"'),
      );
    if (username === undefined)
      return done(
        anonymous === undefined ? refused('no user name, and no "anonymous" in the manifest') : ANONYMOUS,
      );
    if (password === undefined) return done(refused('no password, and no certificate of a user'));
    if (!isUserName(username)) return done(refused('no user may have such a name'));
    logins.check({ user: username, password, peer }, result =>
      done(result === 'accepted' ? { kind: 'client', user: username } : result),
    );
  };
}
