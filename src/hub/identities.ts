import { isDeepStrictEqual } from 'node:util';
import type { BrokerHost, Credentials, Identity } from '../broker/types.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import { newToken, sameSecret } from '../crypto/tokens.ts';
import { isUserName } from '../manifest/access.ts';
import type { Manifest, UserEntry } from '../manifest/types.ts';
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

export type IdentitiesSettings = { readonly clock: Clock; readonly random: Random; readonly log: Log };

const ANONYMOUS: Identity = { kind: 'client', user: undefined };

const NOBODY: Admitted = { modules: [], users: [], anonymous: { publish: [], subscribe: [] } };

/**
 * A module shows its token; a user his password, or a certificate with his name in it. Who shows nothing is let in
 * where the manifest has grants for `anonymous`, and on this machine as long as it says nothing of access at all.
 */
export function createIdentities(settings: IdentitiesSettings): Identities {
  const tokens = new Map<string, string>();
  const logins = createLogins(settings);
  let admitted = NOBODY;
  let users = usersOf(NOBODY, logins);

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
      admitted = manifest;
      return identity => {
        if (identity.kind === 'module') return tokens.has(identity.module);
        if (identity.user !== undefined) return same.has(identity.user);
        return manifest.anonymous !== undefined || manifest.users.length === 0;
      };
    },
    authenticate: (credentials, done) => {
      const { username, password } = credentials;
      const token = username === undefined ? undefined : tokens.get(username);
      if (username === undefined || token === undefined) return users(credentials, done);
      if (password !== undefined && sameSecret(password, Buffer.from(token)))
        return done({ kind: 'module', module: username });
      // As late as for any other name, so that the time does not tell which names are modules.
      return users(credentials, outcome => done(outcome === 'tooMany' ? outcome : 'refused'));
    },
  };
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
    if (isOpen) return done(peer.local ? ANONYMOUS : 'refused');
    if (username === undefined) return done(anonymous === undefined ? 'refused' : ANONYMOUS);
    if (password === undefined || !isUserName(username)) return done('refused');
    logins.check({ user: username, password, peer }, result =>
      done(result === 'accepted' ? { kind: 'client', user: username } : result),
    );
  };
}
