import * as v from 'valibot';
import { MAX_GRANTS, MAX_USERS } from '../core/limits.ts';

/** A name that stands in no topic by accident, and in the log as it is. */
const USER_NAME = /^[A-Za-z0-9_.@-]{1,64}$/;

/** True for what a manifest may call a user. */
export function isUserName(text: string): boolean {
  return USER_NAME.test(text);
}

const filters = v.optional(
  v.pipe(
    v.array(v.string('must be a topic filter'), 'must be a list of topic filters'),
    v.maxLength(MAX_GRANTS, `must have at most ${MAX_GRANTS} topic filters`),
  ),
  [],
);

/** Topic filters that are granted, in which `%c` and `%u` stand for the client identifier and the user name. */
export const topicLists = { publish: filters, subscribe: filters };

export const anonymous = v.strictObject(topicLists);

const user = v.pipe(
  v.strictObject({
    password: v.optional(v.string('must be a line that "skerry passwd" prints')),
    certificate: v.optional(v.pipe(v.string('must be a name'), v.minLength(1, 'must not be empty'))),
    ...topicLists,
  }),
  v.check(
    ({ password, certificate }) => password !== undefined || certificate !== undefined,
    'must have a "password" or a "certificate", to be known by',
  ),
);

export const users = v.pipe(
  v.record(
    v.pipe(v.string(), v.regex(USER_NAME, 'must be 1 to 64 letters, digits, "_", "-", "." or "@"')),
    user,
  ),
  v.check(all => Object.keys(all).length <= MAX_USERS, `must be at most ${MAX_USERS}`),
  v.transform(all => Object.entries(all).map(([name, fields]) => ({ name, ...fields }))),
);
