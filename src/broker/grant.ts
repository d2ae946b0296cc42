import { covers } from '../mqtt/topics.ts';

/** A topic filter of the access rules: `%c` in it is the client identifier, `%u` the user name. */
export type Grant = readonly Level[];

type Level = { readonly text: string; readonly varies: boolean };

/** What a client chooses for itself and what would change a filter's meaning. */
const UNFIT = /[+#/]|^\$|^$/;

const VARIABLE = /%[cu]/;

/** The grant of a valid topic filter. */
export function grantOf(filter: string): Grant {
  return filter.split('/').map(text => ({ text, varies: VARIABLE.test(text) }));
}

/** Whether a grant takes in a topic. It is asked for every message, so it takes no topic apart. */
export function grantMatches(
  grant: Grant,
  topic: string,
  clientId: string,
  user: string | undefined,
): boolean {
  if (topic.startsWith('$') && isWildcard(grant[0]?.text)) return false;
  let start = 0;
  for (const level of grant) {
    if (level.text === '#') return true;
    if (start > topic.length) return false;
    const slash = topic.indexOf('/', start);
    const end = slash < 0 ? topic.length : slash;
    if (level.text !== '+') {
      const text = level.varies ? filledIn(level.text, clientId, user) : level.text;
      if (text === undefined || text.length !== end - start || !topic.startsWith(text, start)) return false;
    }
    start = end + 1;
  }
  return start > topic.length;
}

/** Whether a grant takes in all that a filter does. */
export function grantCovers(
  grant: Grant,
  filter: string,
  clientId: string,
  user: string | undefined,
): boolean {
  const levels: string[] = [];
  for (const { text, varies } of grant) {
    const level = varies ? filledIn(text, clientId, user) : text;
    if (level === undefined) return false;
    levels.push(level);
  }
  return covers(levels.join('/'), filter);
}

function isWildcard(text: string | undefined): boolean {
  return text === '+' || text === '#';
}

/** Undefined if a name is missing, or is one that would reach further than it should. */
function filledIn(text: string, clientId: string, user: string | undefined): string | undefined {
  let fit = true;
  const full = text.replaceAll(/%[cu]/g, variable => {
    const name = (variable === '%c' ? clientId : user) ?? '';
    if (UNFIT.test(name)) fit = false;
    return name;
  });
  return fit ? full : undefined;
}
