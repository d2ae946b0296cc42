/** PATH of modules if the hub has no PATH. This is the default PATH of a login on Debian. */
const PATH_DEFAULT = '/usr/local/bin:/usr/bin:/bin';

/**
 * Returns the environment of a module: PATH, HOME and LANG of the hub, and the variables in `parts`. A later
 * part overrides the earlier parts.
 */
export function moduleEnvironment(...parts: Readonly<Record<string, string>>[]): Record<string, string> {
  const { PATH = PATH_DEFAULT, HOME, LANG } = process.env;
  const environment: Record<string, string> = { PATH };
  if (HOME !== undefined) Object.assign(environment, { HOME });
  if (LANG !== undefined) Object.assign(environment, { LANG });
  return Object.assign(environment, ...parts);
}
