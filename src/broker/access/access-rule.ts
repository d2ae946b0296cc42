import { covers, overlaps } from '../../core/topic-filter.ts';

/** Parsed access rule. In a level, `%c` stands for the client identifier, and `%u` for the user name. */
export type AccessRule = { readonly levels: readonly Level[]; readonly denies: boolean };

/** Prefix of a rule that denies access. */
const DENIAL = '!';

/** Level of a topic filter. `varies` is true if the level contains `%c` or `%u`. */
type Level = { readonly text: string; readonly varies: boolean };

/**
 * Pattern of client identifiers and user names that must not replace `%c` or `%u`, because such a name would
 * change the levels or wildcards of the filter.
 */
const UNSAFE_NAME = /[+#/]|^\$|^$/;

const VARIABLE = /%[cu]/;

/** Returns the topic filter of a rule, without the `!` of a denial. */
export function filterOf(rule: string): string {
  return isDenial(rule) ? rule.slice(DENIAL.length) : rule;
}

export function isDenial(rule: string): boolean {
  return rule.startsWith(DENIAL);
}

/** Parses a valid access rule. */
export function parseAccessRule(rule: string): AccessRule {
  const levels = filterOf(rule)
    .split('/')
    .map(text => ({ text, varies: VARIABLE.test(text) }));
  return { levels, denies: isDenial(rule) };
}

/**
 * True if the rule's filter matches a topic. Does not split the topic into levels, because the function is
 * called for each PUBLISH.
 */
export function ruleMatches(
  { levels, denies }: AccessRule,
  topic: string,
  clientId: string,
  user: string | undefined,
): boolean {
  if (topic.startsWith('$') && isWildcard(levels[0]?.text)) return false;
  let start = 0;
  for (const level of levels) {
    if (level.text === '#') return true;
    if (start > topic.length) return false;
    const slash = topic.indexOf('/', start);
    const end = slash < 0 ? topic.length : slash;
    if (level.text !== '+') {
      const text = level.varies ? substituteVariables(level.text, clientId, user) : level.text;
      if (text === undefined && !denies) return false;
      if (text !== undefined && (text.length !== end - start || !topic.startsWith(text, start))) return false;
    }
    start = end + 1;
  }
  return start > topic.length;
}

type Relation = (own: string, filter: string) => boolean;

/** True if the rule matches every topic that `filter` matches. */
export const ruleCovers = comparing(covers);

/** True if the rule matches at least one topic that `filter` matches. */
export const ruleOverlaps = comparing(overlaps);

function comparing(relation: Relation) {
  return (rule: AccessRule, filter: string, clientId: string, user: string | undefined): boolean => {
    const own = filterFor(rule, clientId, user);
    return own !== undefined && relation(own, filter);
  };
}

/**
 * Returns the filter of a rule for one client, with `%c` and `%u` replaced. If the client identifier or user
 * name is missing or unsafe, a rule that grants access does not apply (the result is undefined). A rule that
 * denies access then applies to every name (`+`).
 */
function filterFor(
  { levels, denies }: AccessRule,
  clientId: string,
  user: string | undefined,
): string | undefined {
  const substituted: string[] = [];
  for (const { text, varies } of levels) {
    const level = varies ? substituteVariables(text, clientId, user) : text;
    if (level === undefined && !denies) return undefined;
    substituted.push(level ?? '+');
  }
  return substituted.join('/');
}

function isWildcard(text: string | undefined): boolean {
  return text === '+' || text === '#';
}

/**
 * Replaces `%c` and `%u` in a level. Undefined if the client identifier or user name is missing or unsafe.
 */
function substituteVariables(text: string, clientId: string, user: string | undefined): string | undefined {
  let safe = true;
  const full = text.replaceAll(/%[cu]/g, variable => {
    const name = (variable === '%c' ? clientId : user) ?? '';
    if (UNSAFE_NAME.test(name)) safe = false;
    return name;
  });
  return safe ? full : undefined;
}
