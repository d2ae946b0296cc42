import * as v from 'valibot';
import { MAX_GRANTS, MAX_USERS } from '../limits.ts';
import { about, byName, jsonSchema, object, text } from './fields.ts';

/** Pattern of user names. Excludes characters that have a meaning in topics or break a log line. */
const USER_NAME = /^[A-Za-z0-9_.@-]{1,64}$/;

/** Returns true if a name is a valid user name. */
export function isUserName(name: string): boolean {
  return USER_NAME.test(name);
}

const filters = v.pipe(
  v.array(v.string('must be a topic filter'), 'must be an array of topic filters'),
  v.maxLength(MAX_GRANTS, `must have at most ${MAX_GRANTS} topic filters`),
);

/**
 * Schemas of the fields `publish` and `subscribe`: topic filters of permissions. A filter with a leading `!`
 * denies access. Any other filter allows access. `%c` stands for the client identifier, and `%u` for the user
 * name.
 */
export const topicLists = {
  publish: v.optional(about('Topic filters allowed for publishing; a leading "!" denies.', filters), []),
  subscribe: v.optional(about('Topic filters allowed for subscribing; a leading "!" denies.', filters), []),
};

export const anonymous = object(topicLists);

const user = v.pipe(
  object({
    password: v.optional(
      about(
        'Password hash printed by "skerry passwd".',
        v.string('must be a line that "skerry passwd" prints'),
      ),
    ),
    certificate: v.optional(
      about(
        'Name in the client certificate.',
        v.pipe(v.string('must be a name'), v.minLength(1, 'must not be empty')),
      ),
    ),
    ...topicLists,
  }),
  v.check(
    ({ password, certificate }) => password !== undefined || certificate !== undefined,
    'must have a "password" or a "certificate"',
  ),
  jsonSchema({ anyOf: [{ required: ['password'] }, { required: ['certificate'] }] }),
);

export const users = v.pipe(
  byName(
    v.pipe(text, v.regex(USER_NAME, 'must be 1 to 64 letters, digits, "_", "-", "." or "@"')),
    user,
    'must be an object of users by their names',
  ),
  v.check(all => Object.keys(all).length <= MAX_USERS, `must have at most ${MAX_USERS} users`),
  jsonSchema({ maxProperties: MAX_USERS }),
  v.transform(all => Object.entries(all).map(([name, fields]) => ({ name, ...fields }))),
);
