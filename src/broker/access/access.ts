import type { BrokerHost, Granted, Identity } from '../types.ts';
import type { AccessRule } from './access-rule.ts';
import { parseAccessRule, ruleCovers, ruleMatches, ruleOverlaps } from './access-rule.ts';

/**
 * Access rules (ACL) of one user or module: topic filters, in which `%c` and `%u` stand for the client
 * identifier and the user name. A filter that begins with `!` denies access.
 */
export type TopicGrants = { readonly publish: readonly string[]; readonly subscribe: readonly string[] };

/** Access rules of all modules, users and anonymous clients. */
export type Grants = {
  /** Rules of modules by module name. A module has access to its own inputs and outputs without a rule. */
  readonly modules: ReadonlyMap<string, TopicGrants>;
  readonly users: ReadonlyMap<string, TopicGrants>;
  /** Rules of clients without a user name. `everything` permits all topics. */
  readonly anonymous: TopicGrants | 'everything';
};

export type Access = Pick<BrokerHost, 'mayPublish' | 'maySubscribe' | 'mayReceive' | 'granted'>;

/** Check of a topic or filter for one client. `clientId` replaces `%c`, and `user` replaces `%u`. */
type Check<Answer> = (text: string, clientId: string, user: string | undefined) => Answer;

/** Access checks that all clients with the same access rules share. */
type Rules = {
  readonly publish: Check<boolean>;
  readonly subscribe: Check<boolean>;
  readonly receive: Check<boolean>;
  readonly granted: Check<Granted>;
};

const EVERYTHING: Rules = {
  publish: () => true,
  subscribe: () => true,
  receive: () => true,
  granted: () => 'all',
};

/** First level of module topics: `modules/<module>/...`. Only the module itself may publish on its topics. */
const MODULES = 'modules';

/** Topics on which no access rule can permit clients to publish: `$SYS`, `$share` and the upstream queue. */
const RESERVED = /^\$(SYS(\/|$)|share(\/|$)|upstream)/;

/**
 * Filter of a shared subscription (MQTT 5, 4.8.2). Clients of MQTT 3.1.1 are also permitted to use such a
 * filter.
 */
const SHARED = /^\$share\/[^/]*\/(.*)$/s;

/**
 * Returns the name of the output in a topic `modules/<module>/outputs/<output>`. Undefined for any other
 * topic.
 */
export function outputOf(module: string, topic: string): string | undefined {
  const prefix = `modules/${module}/outputs/`;
  const output = topic.startsWith(prefix) ? topic.slice(prefix.length) : '';
  return output.length > 0 && !output.includes('/') ? output : undefined;
}

/** Topic on which a module publishes its health reports. */
export function healthTopic(module: string): string {
  return `${MODULES}/${module}/health`;
}

/** Topic on which a bridge publishes its connection state: the default topic of mosquitto's bridges. */
export function bridgeStateTopic(clientId: string): string {
  return `$SYS/broker/connection/${clientId}/state`;
}

/**
 * True if no access rule can permit clients to publish on the topic. A module publishes on its own topics
 * without a rule.
 */
export function isUngrantable(topic: string): boolean {
  return topic === MODULES || topic.startsWith(`${MODULES}/`) || RESERVED.test(topic);
}

/**
 * Creates the access checks. A module needs no rule to publish on its outputs and its health topic, and to
 * subscribe to its inputs.
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

/**
 * Returns a filter without `$share/<group>/`. Undefined if access rules cannot permit a subscription to the
 * filter.
 */
function plainFilter(filter: string): string | undefined {
  const shared = SHARED.exec(filter);
  // Access rules can permit a subscription to `$SYS`, but never to a malformed `$share` filter or to the
  // upstream queue.
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
    publish: allowing(publishing, ruleMatches),
    receive: allowing(subscribing, ruleMatches),
    subscribe: allowing(subscribing, ruleCovers),
    granted: (filter, clientId, user) => {
      const any = (grants: readonly AccessRule[], test: Test): boolean =>
        grants.some(grant => test(grant, filter, clientId, user));
      if (any(subscribing.denials, ruleCovers)) return 'none';
      if (any(subscribing.grants, ruleCovers)) return any(subscribing.denials, ruleOverlaps) ? 'some' : 'all';
      return any(subscribing.grants, ruleOverlaps) ? 'some' : 'none';
    },
  };
}

type RuleList = { readonly grants: readonly AccessRule[]; readonly denials: readonly AccessRule[] };
type Test = (grant: AccessRule, text: string, clientId: string, user: string | undefined) => boolean;

function rulesIn(rules: readonly string[]): RuleList {
  const all = rules.map(parseAccessRule);
  return { grants: all.filter(({ denies }) => !denies), denials: all.filter(({ denies }) => denies) };
}

/**
 * Creates a check that is true if at least one rule that grants access passes `test`, and no rule that denies
 * access passes `test`. The order of the rules does not matter.
 */
function allowing({ grants, denials }: RuleList, test: Test): Check<boolean> {
  return (text, clientId, user) => {
    for (const denial of denials) if (test(denial, text, clientId, user)) return false;
    for (const grant of grants) if (test(grant, text, clientId, user)) return true;
    return false;
  };
}
