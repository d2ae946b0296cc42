import { covers, overlaps } from '../../core/topic-filter.ts';

/** Parsed access rule. `%c` is the client identifier, `%u` the user name. */
export type AccessRule = { readonly levels: readonly Level[]; readonly denies: boolean };

/** First character of a filter that denies. */
const DENIAL = '!';

type Level = { readonly text: string; readonly varies: boolean };

/** Client-chosen names that would change a filter's meaning. */
const UNFIT = /[+#/]|^\$|^$/;

const VARIABLE = /%[cu]/;

/** Topic filter of an access rule, without the `!` of a denial. */
export function filterOf(rule: string): string {
  return isDenial(rule) ? rule.slice(DENIAL.length) : rule;
}

export function isDenial(rule: string): boolean {
  return rule.startsWith(DENIAL);
}

/** Parses a valid access rule. */
export function grantOf(rule: string): AccessRule {
  const levels = filterOf(rule)
    .split('/')
    .map(text => ({ text, varies: VARIABLE.test(text) }));
  return { levels, denies: isDenial(rule) };
}

/** True if a grant or denial matches a topic. On the hot path, so it does not split the topic. */
export function grantMatches(
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
      const text = level.varies ? filledIn(level.text, clientId, user) : level.text;
      if (text === undefined && !denies) return false;
      if (text !== undefined && (text.length !== end - start || !topic.startsWith(text, start))) return false;
    }
    start = end + 1;
  }
  return start > topic.length;
}

type Relation = (own: string, filter: string) => boolean;

/** True if a grant or denial matches every topic that a filter matches. */
export const grantCovers = comparing(covers);

/** True if a grant or denial matches some topic that a filter matches. */
export const grantOverlaps = comparing(overlaps);

function comparing(relation: Relation) {
  return (grant: AccessRule, filter: string, clientId: string, user: string | undefined): boolean => {
    const own = filterFor(grant, clientId, user);
    return own !== undefined && relation(own, filter);
  };
}

/**
 * Filter of a rule for one client. A name that is unfit for a topic level voids a grant, and widens a denial
 * to `+`.
 */
function filterFor(
  { levels, denies }: AccessRule,
  clientId: string,
  user: string | undefined,
): string | undefined {
  const filled: string[] = [];
  for (const { text, varies } of levels) {
    const level = varies ? filledIn(text, clientId, user) : text;
    if (level === undefined && !denies) return undefined;
    filled.push(level ?? '+');
  }
  return filled.join('/');
}

function isWildcard(text: string | undefined): boolean {
  return text === '+' || text === '#';
}

/** Level with the client's names inserted. Undefined if a name is missing or unfit for a level. */
function filledIn(text: string, clientId: string, user: string | undefined): string | undefined {
  let fit = true;
  const full = text.replaceAll(/%[cu]/g, variable => {
    const name = (variable === '%c' ? clientId : user) ?? '';
    if (UNFIT.test(name)) fit = false;
    return name;
  });
  return fit ? full : undefined;
}
