import * as v from 'valibot';
import { MAX_GRANTS, MAX_USERS } from '../../core/limits.ts';
import { about, byName, object, stated, text } from './fields.ts';

/** A name that stands in no topic by accident, and in the log as it is. */
const USER_NAME = /^[A-Za-z0-9_.@-]{1,64}$/;

/** True for what a manifest may call a user. */
export function isUserName(name: string): boolean {
  return USER_NAME.test(name);
}

const filters = v.pipe(
  v.array(v.string('must be a topic filter'), 'must be a list of topic filters'),
  v.maxLength(MAX_GRANTS, `must have at most ${MAX_GRANTS} topic filters`),
);

/** Topic filters that are granted, or denied behind a `!`, in which `%c` and `%u` stand for the client identifier and the user name. */
export const topicLists = {
  publish: v.optional(about('Topic filters that it may publish on; one behind "!" denies.', filters), []),
  subscribe: v.optional(about('Topic filters that it may subscribe to; one behind "!" denies.', filters), []),
};

export const anonymous = object(topicLists);

const user = v.pipe(
  object({
    password: v.optional(
      about('A line that "skerry passwd" prints.', v.string('must be a line that "skerry passwd" prints')),
    ),
    certificate: v.optional(
      about(
        'A name in the client certificate that he shows.',
        v.pipe(v.string('must be a name'), v.minLength(1, 'must not be empty')),
      ),
    ),
    ...topicLists,
  }),
  v.check(
    ({ password, certificate }) => password !== undefined || certificate !== undefined,
    'must have a "password" or a "certificate", to be known by',
  ),
  stated({ anyOf: [{ required: ['password'] }, { required: ['certificate'] }] }),
);

export const users = v.pipe(
  byName(
    v.pipe(text, v.regex(USER_NAME, 'must be 1 to 64 letters, digits, "_", "-", "." or "@"')),
    user,
    'must be an object of users by their names',
  ),
  v.check(all => Object.keys(all).length <= MAX_USERS, `must have at most ${MAX_USERS} users`),
  stated({ maxProperties: MAX_USERS }),
  v.transform(all => Object.entries(all).map(([name, fields]) => ({ name, ...fields }))),
);
