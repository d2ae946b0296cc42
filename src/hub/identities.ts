import type { BrokerHost, Credentials, Identity } from '../broker/types.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Random } from '../core/random.ts';
import { newToken, sameSecret } from '../crypto/tokens.ts';
import { isUserName } from '../manifest/access.ts';
import type { Manifest } from '../manifest/types.ts';
import { createLogins } from './logins.ts';

/** Who may connect to the broker. Tokens live as long as the hub runs: each start makes new ones. */
export type Identities = Pick<BrokerHost, 'authenticate'> & {
  /** The secret that a module shows together with its name. */
  readonly tokenOf: (module: string) => string;
};

export type IdentitiesSettings = {
  readonly manifest: Pick<Manifest, 'modules' | 'users' | 'anonymous'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};

const ANONYMOUS: Identity = { kind: 'client', user: undefined };

/**
 * A module shows its token; a user his password, or a certificate with his name in it. Who shows nothing is let in
 * where the manifest has grants for `anonymous`, and on this machine as long as it says nothing of access at all.
 */
export function createIdentities({ manifest, ...settings }: IdentitiesSettings): Identities {
  const { modules, users, anonymous } = manifest;
  const tokens = new Map(modules.map(({ name }) => [name, newToken(settings.random)]));
  const holders = new Map<string, string>();
  const hashes = new Map<string, string>();
  for (const { name, password, certificate } of users) {
    if (certificate !== undefined) holders.set(certificate, name);
    if (password !== undefined) hashes.set(name, password);
  }
  const login = createLogins({ ...settings, hashes });
  const isOpen = users.length === 0 && anonymous === undefined;

  const moduleWith = (module: string, token: string, password: Buffer | undefined): Identity | 'refused' =>
    password !== undefined && sameSecret(password, Buffer.from(token))
      ? { kind: 'module', module }
      : 'refused';

  /** The user whom the certificate names; who names another user besides must prove to be him. */
  const holderOf = ({ peer, username }: Credentials): string | undefined => {
    for (const name of peer.certificate ?? []) {
      const user = holders.get(name);
      if (user !== undefined && (username === undefined || username === user)) return user;
    }
    return undefined;
  };

  return {
    tokenOf: module => tokens.get(module) ?? '',
    authenticate: (credentials, done) => {
      const { username, password, peer } = credentials;
      const token = username === undefined ? undefined : tokens.get(username);
      if (username !== undefined && token !== undefined) return done(moduleWith(username, token, password));
      const holder = holderOf(credentials);
      if (holder !== undefined) return done({ kind: 'client', user: holder });
      if (isOpen) return done(peer.local ? ANONYMOUS : 'refused');
      if (username === undefined) return done(anonymous === undefined ? 'refused' : ANONYMOUS);
      if (password === undefined || !isUserName(username)) return done('refused');
      login({ user: username, password, peer }, result =>
        done(result === 'accepted' ? { kind: 'client', user: username } : result),
      );
    },
  };
}
