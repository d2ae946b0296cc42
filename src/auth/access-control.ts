import type { Access } from '../broker/access.ts';
import { createAccess } from '../broker/access.ts';
import type { Peer } from '../broker/listeners/socket.ts';
import type { BrokerHost, Identity } from '../broker/types.ts';
import { addressHolder, LOCAL_CLIENTS, moduleHolder, userHolder } from '../core/capacity/shares.ts';
import { networkOf } from '../core/net/network.ts';
import type { Manifest } from '../manifest/types.ts';
import { grantsOf } from './grants.ts';
import type { IdentitiesSettings } from './identities.ts';
import { createIdentities } from './identities.ts';

/** Who is who, and who may do what, by the newest manifest. */
export type AccessControl = Access &
  Pick<BrokerHost, 'authenticate' | 'holderOf'> & {
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
  let isOpen = saysNothing(manifest);
  identities.admit(manifest);
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
      isOpen = saysNothing(wanted);
      return identities.admit(wanted);
    },
  };
}

/** True if a manifest has no rules of access: every client of this machine may do everything. */
function saysNothing({ users, anonymous }: Manifest): boolean {
  return users.length === 0 && anonymous === undefined;
}

/** The part of a peer's address that it cannot choose: a client of this machine has all loopback addresses. */
function addressOf({ local, address }: Peer): string {
  return local && !address.startsWith('unix:') ? LOOPBACK : networkOf(address);
}

const LOOPBACK = '127.0.0.1';
