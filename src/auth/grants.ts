import type { Grants, TopicGrants } from '../broker/access/access.ts';
import { isUngrantable } from '../broker/access/access.ts';
import { filterOf, isDenial } from '../broker/access/access-rule.ts';
import { Failure } from '../core/errors.ts';
import { isPasswordHash } from '../crypto/passwords.ts';
import type { Manifest, TopicLists } from '../manifest/types.ts';
import { isTopicFilter } from '../mqtt/topics.ts';

const NOTHING: TopicGrants = { publish: [], subscribe: [] };

/**
 * Returns the grants (ACL) of modules, users and anonymous clients of a manifest. Throws Failure
 * `manifest.field` if a grant is invalid.
 */
export function grantsOf({ modules, users, anonymous }: Manifest): Grants {
  const certificates = new Map<string, string>();
  for (const { name, password, certificate } of users) {
    if (password !== undefined && !isPasswordHash(password)) {
      // The error does not contain the invalid value, because the value can be a password in clear text.
      throw refusal(`users.${name}.password`, 'must be a line that "skerry passwd" prints');
    }
    if (modules.some(module => module.name === name))
      throw refusal(`users.${name}`, 'is the name of a module');
    const other = certificate === undefined ? undefined : certificates.get(certificate);
    if (other !== undefined) throw refusal(`users.${name}.certificate`, `is that of user "${other}"`);
    if (certificate !== undefined) certificates.set(certificate, name);
  }
  const byName = (kind: string, entries: readonly (TopicLists & { readonly name: string })[]) =>
    new Map(entries.map(entry => [entry.name, checked(`${kind}.${entry.name}`, entry)]));
  const anonymousDefault = users.length === 0 ? 'everything' : NOTHING;
  return {
    modules: byName('modules', modules),
    users: byName('users', users),
    anonymous: anonymous === undefined ? anonymousDefault : checked('anonymous', anonymous),
  };
}

function checked(path: string, { publish, subscribe }: TopicLists): TopicGrants {
  for (const [list, filters] of Object.entries({ publish, subscribe })) {
    for (const [index, filter] of filters.entries()) {
      const field = `${path}.${list}[${index}]`;
      if (!isTopicFilter(filterOf(filter)))
        throw refusal(field, `must be a topic filter, and is ${JSON.stringify(filter)}`);
      if (list === 'publish' && !isDenial(filter) && isUngrantable(filter)) {
        throw refusal(
          field,
          `cannot be granted: only a module itself publishes on its outputs, only the hub on "$SYS"`,
        );
      }
    }
  }
  return { publish, subscribe };
}

function refusal(path: string, complaint: string): Failure {
  return new Failure('manifest.field', `${path} ${complaint}.`);
}
