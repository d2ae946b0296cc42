import type { Grant } from './grant.ts';
import { grantCovers, grantMatches, grantOf } from './grant.ts';
import type { BrokerHost, Identity } from './types.ts';

/** Topic filters, in which `%c` and `%u` are the client's identifier and the user's name. */
export type TopicGrants = { readonly publish: readonly string[]; readonly subscribe: readonly string[] };

/** Who may do what. */
export type Grants = {
  /** Beyond its own outputs and inputs. */
  readonly modules: ReadonlyMap<string, TopicGrants>;
  readonly users: ReadonlyMap<string, TopicGrants>;
  /** Of clients without a name. */
  readonly anonymous: TopicGrants | 'everything';
};

export type Access = Pick<BrokerHost, 'mayPublish' | 'maySubscribe'>;

/** `user` is what `%u` stands for. */
type Rule = (text: string, clientId: string, user: string | undefined) => boolean;
type Rules = { readonly publish: Rule; readonly subscribe: Rule };

const EVERYTHING: Rules = { publish: () => true, subscribe: () => true };

/** Topics of this first level speak for the modules: only they may use them to publish. */
const MODULES = 'modules';

/** What the hub itself says, `$share` which is no topic, and the queue for upstream. */
const RESERVED = /^\$(SYS(\/|$)|share(\/|$)|upstream)/;

/** A shared subscription (MQTT 5, 4.8.2), as servers of MQTT 3.1.1 have it too. */
const SHARED = /^\$share\/[^/]*\/(.*)$/s;

/** The output of `modules/<module>/outputs/<output>`, undefined for any other topic. */
export function outputOf(module: string, topic: string): string | undefined {
  const prefix = `modules/${module}/outputs/`;
  const output = topic.startsWith(prefix) ? topic.slice(prefix.length) : '';
  return output.length > 0 && !output.includes('/') ? output : undefined;
}

/** The topic on which a module says whether it is well. */
export function healthTopic(module: string): string {
  return `${MODULES}/${module}/health`;
}

/** Topic on which a bridge publishes whether it is connected, as mosquitto's bridges do by default. */
export function bridgeStateTopic(clientId: string): string {
  return `$SYS/broker/connection/${clientId}/state`;
}

/** True for what no grant lets anybody publish on; a module's own outputs need none. */
export function isUngrantable(topic: string): boolean {
  return topic === MODULES || topic.startsWith(`${MODULES}/`) || RESERVED.test(topic);
}

/** The rules of `grants`. A module publishes on its own outputs and its health, and hears its own inputs, without one. */
export function createAccess({ modules, users, anonymous }: Grants): Access {
  const ofModules = new Map<string, Rules>();
  for (const [module, grants] of modules)
    ofModules.set(module, rulesOf(grants, [`modules/${module}/inputs/#`]));
  const ofUsers = new Map<string, Rules>();
  for (const [user, grants] of users) ofUsers.set(user, rulesOf(grants));
  const ofAnonymous = anonymous === 'everything' ? EVERYTHING : rulesOf(anonymous);

  const rulesFor = (identity: Identity): Rules | undefined => {
    if (identity.kind === 'module') return ofModules.get(identity.module);
    return identity.user === undefined ? ofAnonymous : ofUsers.get(identity.user);
  };

  return {
    mayPublish: (identity, clientId, topic) => {
      if (isUngrantable(topic)) {
        if (identity.kind !== 'module') return false;
        return outputOf(identity.module, topic) !== undefined || topic === healthTopic(identity.module);
      }
      return rulesFor(identity)?.publish(topic, clientId, nameOf(identity)) === true;
    },
    maySubscribe: (identity, clientId, filter) => {
      const shared = SHARED.exec(filter);
      // What begins so and is not one is no filter for anybody.
      if (shared === null && RESERVED.test(filter) && !filter.startsWith('$SYS')) return false;
      return rulesFor(identity)?.subscribe(shared?.[1] ?? filter, clientId, nameOf(identity)) === true;
    },
  };
}

function nameOf(identity: Identity): string | undefined {
  return identity.kind === 'module' ? identity.module : identity.user;
}

function rulesOf({ publish, subscribe }: TopicGrants, own: readonly string[] = []): Rules {
  return {
    publish: anyOf(publish, grantMatches),
    subscribe: anyOf([...own, ...subscribe], grantCovers),
  };
}

type Takes = (grant: Grant, text: string, clientId: string, user: string | undefined) => boolean;

function anyOf(filters: readonly string[], takes: Takes): Rule {
  const grants = filters.map(grantOf);
  return (text, clientId, user) => {
    for (const grant of grants) if (takes(grant, text, clientId, user)) return true;
    return false;
  };
}
