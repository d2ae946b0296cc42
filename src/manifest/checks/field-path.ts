/** Maximum characters of one name in a field path. */
const MAX_SHOWN = 80;

/** Formats a field path such as `listeners[0].mqtt`. Names with invisible characters are quoted. */
export function pathOf(keys: readonly unknown[]): string {
  let path = '';
  for (const key of keys) {
    if (typeof key === 'number') path += `[${key}]`;
    else path += `${path === '' ? '' : '.'}${shown(String(key))}`;
  }
  return path;
}

function shown(name: string): string {
  const short = name.length > MAX_SHOWN ? `${name.slice(0, MAX_SHOWN)}...` : name;
  return /^[\p{L}\p{N}\p{P}\p{S}]+$/u.test(short) ? short : JSON.stringify(short);
}
