/** Default PATH of a login on Debian, used if the hub has none. */
const PATH_DEFAULT = '/usr/local/bin:/usr/bin:/bin';

/**
 * Builds the environment of a module. Only PATH, HOME and LANG are inherited from the hub. Later `parts`
 * override earlier ones.
 */
export function moduleEnvironment(...parts: Readonly<Record<string, string>>[]): Record<string, string> {
  const { PATH = PATH_DEFAULT, HOME, LANG } = process.env;
  const environment: Record<string, string> = { PATH };
  if (HOME !== undefined) Object.assign(environment, { HOME });
  if (LANG !== undefined) Object.assign(environment, { LANG });
  return Object.assign(environment, ...parts);
}
