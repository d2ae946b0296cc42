import type { Credentials, Identity } from '../broker/types.ts';
import type { Random } from '../core/random.ts';
import { newToken, sameSecret } from '../crypto/tokens.ts';

/** Who may connect to the broker. Tokens live as long as the hub runs: each start makes new ones. */
export type Identities = {
  /** The secret that a module shows together with its name. */
  readonly tokenOf: (module: string) => string;
  readonly authenticate: (credentials: Credentials) => Identity | undefined;
};

/** A module shows its token from anywhere; anybody else comes from this machine, and without a user name. */
export function createIdentities(modules: readonly string[], random: Random): Identities {
  const tokens = new Map(modules.map(module => [module, newToken(random)]));
  return {
    tokenOf: module => tokens.get(module) ?? '',
    authenticate: ({ username, password, peer }) => {
      if (username === undefined) return peer.local ? { kind: 'client', user: undefined } : undefined;
      const token = tokens.get(username);
      if (token === undefined || password === undefined) return undefined;
      return sameSecret(password, Buffer.from(token)) ? { kind: 'module', module: username } : undefined;
    },
  };
}
