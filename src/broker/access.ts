import type { Grant } from './grant.ts';
import { grantCovers, grantMatches, grantOf, grantOverlaps } from './grant.ts';
import type { BrokerHost, Identity } from './types.ts';

/** Topic filters, in which `%c` and `%u` are the client's identifier and the user's name; one behind `!` denies. */
export type TopicGrants = { readonly publish: readonly string[]; readonly subscribe: readonly string[] };

/** Who may do what. */
export type Grants = {
  /** Beyond its own outputs and inputs. */
  readonly modules: ReadonlyMap<string, TopicGrants>;
  readonly users: ReadonlyMap<string, TopicGrants>;
  /** Of clients without a name. */
  readonly anonymous: TopicGrants | 'everything';
};

export type Access = Pick<BrokerHost, 'mayPublish' | 'maySubscribe' | 'mayReceive' | 'granted'>;

/** Part of what a filter matches that a client may receive. */
export type Granted = 'all' | 'some' | 'none';

/** Rules of one client; `user` is what `%u` stands for. */
type Ask<Answer> = (text: string, clientId: string, user: string | undefined) => Answer;
type Rules = {
  readonly publish: Ask<boolean>;
  readonly subscribe: Ask<boolean>;
  readonly receive: Ask<boolean>;
  readonly granted: Ask<Granted>;
};

const EVERYTHING: Rules = {
  publish: () => true,
  subscribe: () => true,
  receive: () => true,
  granted: () => 'all',
};

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
      const plain = plainFilter(filter);
      return plain !== undefined && rulesFor(identity)?.subscribe(plain, clientId, nameOf(identity)) === true;
    },
    mayReceive: (identity, clientId, topic) =>
      rulesFor(identity)?.receive(topic, clientId, nameOf(identity)) === true,
    granted: (identity, clientId, filter) => {
      const plain = plainFilter(filter);
      if (plain === undefined) return 'none';
      return rulesFor(identity)?.granted(plain, clientId, nameOf(identity)) ?? 'none';
    },
  };
}

/** Filter of a subscription without its group; undefined: no one may subscribe to it. */
function plainFilter(filter: string): string | undefined {
  const shared = SHARED.exec(filter);
  // What begins so and is not one is no filter for anybody.
  if (shared === null && RESERVED.test(filter) && !filter.startsWith('$SYS')) return undefined;
  return shared?.[1] ?? filter;
}

function nameOf(identity: Identity): string | undefined {
  return identity.kind === 'module' ? identity.module : identity.user;
}

function rulesOf({ publish, subscribe }: TopicGrants, own: readonly string[] = []): Rules {
  const publishing = rulesIn(publish);
  const subscribing = rulesIn([...own, ...subscribe]);
  return {
    publish: allowing(publishing, grantMatches),
    receive: allowing(subscribing, grantMatches),
    subscribe: allowing(subscribing, grantCovers),
    granted: (filter, clientId, user) => {
      const any = (grants: readonly Grant[], test: Test): boolean =>
        grants.some(grant => test(grant, filter, clientId, user));
      if (any(subscribing.denials, grantCovers)) return 'none';
      if (any(subscribing.grants, grantCovers))
        return any(subscribing.denials, grantOverlaps) ? 'some' : 'all';
      return any(subscribing.grants, grantOverlaps) ? 'some' : 'none';
    },
  };
}

type RuleList = { readonly grants: readonly Grant[]; readonly denials: readonly Grant[] };
type Test = (grant: Grant, text: string, clientId: string, user: string | undefined) => boolean;

function rulesIn(rules: readonly string[]): RuleList {
  const all = rules.map(grantOf);
  return { grants: all.filter(({ denies }) => !denies), denials: all.filter(({ denies }) => denies) };
}

/** A denial counts whatever else is granted, in whatever order. */
function allowing({ grants, denials }: RuleList, test: Test): Ask<boolean> {
  return (text, clientId, user) => {
    for (const denial of denials) if (test(denial, text, clientId, user)) return false;
    for (const grant of grants) if (test(grant, text, clientId, user)) return true;
    return false;
  };
}
