/** PATH of a module when the hub has none: that of a login on Debian. */
const PATH_DEFAULT = '/usr/local/bin:/usr/bin:/bin';

/**
 * The environment of a module: it is built, so nothing of the hub's own leaks into it but PATH, HOME and LANG.
 * A later of `parts` wins.
 */
export function moduleEnvironment(...parts: Readonly<Record<string, string>>[]): Record<string, string> {
  const { PATH = PATH_DEFAULT, HOME, LANG } = process.env;
  const environment: Record<string, string> = { PATH };
  if (HOME !== undefined) Object.assign(environment, { HOME });
  if (LANG !== undefined) Object.assign(environment, { LANG });
  return Object.assign(environment, ...parts);
}
