import { ENDED_VARIABLE } from './env-markers.ts';
import type { Places } from './paths.ts';
import type { State, Trial } from './state.ts';

/** A hub that ends with this asks its guard to start the binary anew that is noted: another is on trial. EX_TEMPFAIL. */
export const SWITCH_EXIT = 75;

/**
 * What watches over one start of a hub on trial: a shell, for it takes 200 KB where a Node takes 40 MB, and stays until the
 * hub ends. It passes signals on. While the hub is not confirmed it looks once a second: if the hub is late, it is ended; if
 * it was ended or ended, the shell becomes the base binary, which counts and decides. Afterwards it waits, and ends as
 * the hub ends. It writes nothing but the name of a file: all that is kept is written by the base binary, flushed.
 *
 * A `wait` that a signal interrupts tells the signal, so it is asked again; 127 means that it had told the exit code before.
 * Under load bash tells a signal once more than it took one, so what looks like a signal is asked for twice.
 * Without job control it starts a
 * program in the background with SIGINT ignored and no input; Node undoes the one, and the hub reads none.
 */
const SCRIPT = `
limit=$1 grace=$2 unconfirmed=$3 stopped=$4 base=$5 hub=$6
shift 6
told= pid= status= passed= late=
forward() {
  told=$1 passed=1
  [ -z "$pid" ] || kill -s "$1" "$pid" 2>/dev/null
}
for one in TERM INT HUP; do trap "forward $one" "$one"; done
"$hub" "$@" &
pid=$!
[ -z "$told" ] || kill -s "$told" "$pid" 2>/dev/null
lives() { kill -0 "$pid" 2>/dev/null; }
second() {
  passed=
  sleep 1 </dev/null >/dev/null 2>&1 &
  wait $!
  [ -z "$passed" ] || kill $! 2>/dev/null
}
watch() {
  count=0
  while [ "$count" -lt "$1" ] && lives; do
    [ -z "$2" ] || [ -e "$2" ] || return 0
    second
    count=$((count + 1))
  done
}
watch "$limit" "$unconfirmed"
seconds=$count
if [ -e "$unconfirmed" ] && lives; then
  late=late
  kill -s TERM "$pid" 2>/dev/null
  watch "$grace" ""
  ! lives || kill -s KILL "$pid" 2>/dev/null
fi
again=
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
    break
  fi
done
pid=
become() {
  trap - TERM INT HUP
  [ -z "$told" ] || exit "$status"
  unset SKERRY_SLOT SKERRY_GUARD
  exec "$base" "$@"
}
[ "$status" != ${SWITCH_EXIT} ] || [ -n "$told" ] || become "$@"
[ -e "$unconfirmed" ] || exit "$status"
if [ -n "$told" ]; then
  [ -n "$late" ] || case $status in 0 | 129 | 130 | 143) mv -f "$unconfirmed" "$stopped" ;; esac
  exit "$status"
fi
export ${ENDED_VARIABLE}="\${late:-$status} $seconds"
become "$@"
`;

/** The command line of the guard of the next start on trial, of a hub with `args`; its program is an absolute path. */
export function guardCommand(
  places: Places,
  { base }: State,
  trial: Trial,
  args: readonly string[],
): string[] {
  const { slot, limits, seconds } = trial;
  const left = Math.max(0, limits.seconds - seconds);
  const numbers = [String(left), String(limits.grace)];
  const files = [places.unconfirmed, places.stopped, base.path, places.binary(slot)];
  return ['/bin/sh', '-c', SCRIPT, 'skerry-guard', ...numbers, ...files, ...args];
}
