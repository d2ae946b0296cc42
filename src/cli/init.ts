import { existsSync } from 'node:fs';

const SHELL = '/bin/sh';

/**
 * Program of the first process of a container: it starts the hub, passes signals on, and ends as the hub ends. A shell reaps
 * every orphan that the kernel gives to the first process, which Node does not: it waits for its own children alone.
 *
 * A `wait` that a signal interrupts tells the signal, so it is asked again; 127 means that it had told the exit code before.
 * Without job control a shell starts a program in the background with SIGINT ignored, which Node undoes.
 */
const SCRIPT = `
told= pid= status= passed= again=
forward() {
  told=$1 passed=1
  [ -z "$pid" ] || kill -s "$1" "$pid" 2>/dev/null
}
for one in TERM INT HUP QUIT; do trap "forward $one" "$one"; done
exec 3<&0
"$@" <&3 3<&- &
pid=$!
exec 3<&-
[ -z "$told" ] || kill -s "$told" "$pid" 2>/dev/null
while :; do
  passed=
  wait "$pid"
  got=$?
  [ "$got" = 127 ] && [ -n "$status" ] || status=$got
  if [ -n "$passed" ]; then
    again=
  elif [ -z "$again" ] && [ "$got" -gt 128 ]; then
    again=1
  else
    exit "$status"
  fi
done
`;

/** Command line that reaps orphans and runs `command`. Undefined if there is no shell. */
export function initCommand(command: readonly string[]): string[] | undefined {
  return existsSync(SHELL) ? [SHELL, '-c', SCRIPT, 'skerry-init', ...command] : undefined;
}
