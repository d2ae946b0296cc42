import type { BrokerHost, Granted, Identity } from '../types.ts';
import type { AccessRule } from './access-rule.ts';
import { grantCovers, grantMatches, grantOf, grantOverlaps } from './access-rule.ts';

/**
 * Access rules (ACL): topic filters, in which `%c` and `%u` stand for the client identifier and the user
 * name. A filter with `!` denies.
 */
export type TopicGrants = { readonly publish: readonly string[]; readonly subscribe: readonly string[] };

/** Access rules of all modules, users and anonymous clients. */
export type Grants = {
  /** Rules of modules beyond their own outputs and inputs. */
  readonly modules: ReadonlyMap<string, TopicGrants>;
  readonly users: ReadonlyMap<string, TopicGrants>;
  /** Rules of clients without a user name. */
  readonly anonymous: TopicGrants | 'everything';
};

export type Access = Pick<BrokerHost, 'mayPublish' | 'maySubscribe' | 'mayReceive' | 'granted'>;

/** Check for one client. `user` replaces `%u`. */
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

/** First level of module topics. Only a module may publish its own. */
const MODULES = 'modules';

/** Reserved topics: `$SYS`, `$share` and the upstream queue. */
const RESERVED = /^\$(SYS(\/|$)|share(\/|$)|upstream)/;

/** Shared subscription (MQTT 5, 4.8.2). Servers of MQTT 3.1.1 support it too. */
const SHARED = /^\$share\/[^/]*\/(.*)$/s;

/** Output of a topic `modules/<module>/outputs/<output>`. Undefined for any other topic. */
export function outputOf(module: string, topic: string): string | undefined {
  const prefix = `modules/${module}/outputs/`;
  const output = topic.startsWith(prefix) ? topic.slice(prefix.length) : '';
  return output.length > 0 && !output.includes('/') ? output : undefined;
}

/** Topic of a module's health reports. */
export function healthTopic(module: string): string {
  return `${MODULES}/${module}/health`;
}

/** Topic on which a bridge publishes its connection state, as mosquitto's bridges do by default. */
export function bridgeStateTopic(clientId: string): string {
  return `$SYS/broker/connection/${clientId}/state`;
}

/** True if no access rule can permit to publish on the topic. A module needs no rule for its own outputs. */
export function isUngrantable(topic: string): boolean {
  return topic === MODULES || topic.startsWith(`${MODULES}/`) || RESERVED.test(topic);
}

/**
 * Creates the access checks of `grants`. Without a rule, a module may publish on its outputs and its health
 * topic, and subscribe to its inputs.
 */
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

/** Filter of a subscription without its share group. Undefined if nobody may subscribe to it. */
function plainFilter(filter: string): string | undefined {
  const shared = SHARED.exec(filter);
  // A malformed `$share` filter and a reserved filter are refused.
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
      const any = (grants: readonly AccessRule[], test: Test): boolean =>
        grants.some(grant => test(grant, filter, clientId, user));
      if (any(subscribing.denials, grantCovers)) return 'none';
      if (any(subscribing.grants, grantCovers))
        return any(subscribing.denials, grantOverlaps) ? 'some' : 'all';
      return any(subscribing.grants, grantOverlaps) ? 'some' : 'none';
    },
  };
}

type RuleList = { readonly grants: readonly AccessRule[]; readonly denials: readonly AccessRule[] };
type Test = (grant: AccessRule, text: string, clientId: string, user: string | undefined) => boolean;

function rulesIn(rules: readonly string[]): RuleList {
  const all = rules.map(grantOf);
  return { grants: all.filter(({ denies }) => !denies), denials: all.filter(({ denies }) => denies) };
}

/** A denial takes precedence over all grants, in any order. */
function allowing({ grants, denials }: RuleList, test: Test): Ask<boolean> {
  return (text, clientId, user) => {
    for (const denial of denials) if (test(denial, text, clientId, user)) return false;
    for (const grant of grants) if (test(grant, text, clientId, user)) return true;
    return false;
  };
}
