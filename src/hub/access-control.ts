import type { Access } from '../broker/access.ts';
import { createAccess } from '../broker/access.ts';
import type { BrokerHost, Identity } from '../broker/types.ts';
import type { Manifest } from '../manifest/types.ts';
import { grantsOf } from './grants.ts';
import type { IdentitiesSettings } from './identities.ts';
import { createIdentities } from './identities.ts';

/** Who is who, and who may do what, by the newest manifest. */
export type AccessControl = Access &
  Pick<BrokerHost, 'authenticate'> & {
    readonly tokenOf: (module: string) => string;
    /**
     * From now on this manifest holds. Returns whether somebody who was let in before still is who he was.
     * Failure `manifest.field`: then nothing has changed.
     */
    readonly use: (manifest: Manifest) => (identity: Identity) => boolean;
  };

export type AccessControlSettings = IdentitiesSettings;

export function createAccessControl(manifest: Manifest, settings: AccessControlSettings): AccessControl {
  const identities = createIdentities(settings);
  let access = createAccess(grantsOf(manifest));
  identities.admit(manifest);
  return {
    authenticate: identities.authenticate,
    tokenOf: identities.tokenOf,
    mayPublish: (identity, clientId, topic) => access.mayPublish(identity, clientId, topic),
    maySubscribe: (identity, clientId, filter) => access.maySubscribe(identity, clientId, filter),
    use: wanted => {
      access = createAccess(grantsOf(wanted));
      return identities.admit(wanted);
    },
  };
}
