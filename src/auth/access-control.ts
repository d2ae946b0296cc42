import type { Access } from '../broker/access/access.ts';
import { createAccess } from '../broker/access/access.ts';
import type { Peer } from '../broker/listeners/socket.ts';
import type { BrokerHost, Identity } from '../broker/types.ts';
import { addressHolder, LOCAL_CLIENTS, moduleHolder, userHolder } from '../core/capacity/shares.ts';
import { networkOf } from '../core/net/network.ts';
import type { Manifest } from '../manifest/types.ts';
import { grantsOf } from './grants.ts';
import type { IdentitiesSettings } from './identities.ts';
import { createIdentities } from './identities.ts';

/** Authentication and authorization (ACL) of broker clients according to the current manifest. */
export type AccessControl = Access &
  Pick<BrokerHost, 'authenticate' | 'holderOf'> & {
    readonly tokenOf: (module: string) => string;
    /**
     * Replaces the manifest. Returns a predicate that is true for an identity that the new manifest still
     * accepts. Throws Failure `manifest.field` and changes nothing if the manifest is invalid.
     */
    readonly use: (manifest: Manifest) => (identity: Identity) => boolean;
  };

export type AccessControlSettings = IdentitiesSettings;

export function createAccessControl(manifest: Manifest, settings: AccessControlSettings): AccessControl {
  const identities = createIdentities(settings);
  let access = createAccess(grantsOf(manifest));
  let isOpen = hasNoAccessRules(manifest);
  identities.update(manifest);
  return {
    authenticate: identities.authenticate,
    holderOf: (identity, peer) => {
      if (identity.kind === 'module') return moduleHolder(identity.module);
      if (identity.user !== undefined) return userHolder(identity.user);
      return isOpen ? LOCAL_CLIENTS : addressHolder(addressOf(peer));
    },
    tokenOf: identities.tokenOf,
    mayPublish: (identity, clientId, topic) => access.mayPublish(identity, clientId, topic),
    maySubscribe: (identity, clientId, filter) => access.maySubscribe(identity, clientId, filter),
    mayReceive: (identity, clientId, topic) => access.mayReceive(identity, clientId, topic),
    granted: (identity, clientId, filter) => access.granted(identity, clientId, filter),
    use: wanted => {
      access = createAccess(grantsOf(wanted));
      isOpen = hasNoAccessRules(wanted);
      return identities.update(wanted);
    },
  };
}

/** True if a manifest has no access rules. Every client of this machine then has all rights. */
function hasNoAccessRules({ users, anonymous }: Manifest): boolean {
  return users.length === 0 && anonymous === undefined;
}

/**
 * Returns the part of an address that a peer cannot choose. All loopback addresses count as the same address,
 * because a local client can connect from any of them.
 */
function addressOf({ local, address }: Peer): string {
  return local && !address.startsWith('unix:') ? LOOPBACK : networkOf(address);
}

const LOOPBACK = '127.0.0.1';
