import { CHILD_STARTED, forwardSignals, WAIT_FOR_CHILD } from '../core/shell-child.ts';
import { TRIAL_ENDED_VARIABLE } from './env-markers.ts';
import type { UpdatePaths } from './paths.ts';
import type { Trial, UpdateState } from './state.ts';

/** Exit code (EX_TEMPFAIL) with which a hub requests that its watchdog executes the installed binary. */
export const HANDOVER_EXIT_CODE = 75;

/**
 * Watchdog of one start of a hub on trial. The watchdog is a shell script, because a shell takes 200 KB of
 * memory and Node 40 MB.
 *
 * The script runs the hub as its child and forwards signals. Once a second the script checks the time limit,
 * until the hub is confirmed. A hub that exceeds the limit is killed. If the hub exits before it is
 * confirmed, the script executes the installed binary, which counts the start. If the hub is confirmed, the
 * script waits and exits with the hub's exit code. The script renames the file `unconfirmed` after a
 * requested stop. It writes no other state.
 */
const SCRIPT = `
limit=$1 grace=$2 unconfirmed=$3 stopped=$4 base=$5 hub=$6
shift 6
late=
${forwardSignals('TERM INT HUP')}
"$hub" "$@" &
${CHILD_STARTED}
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
${WAIT_FOR_CHILD}
pid=
become() {
  trap - TERM INT HUP
  [ -z "$told" ] || exit "$status"
  unset SKERRY_SLOT SKERRY_GUARD
  exec "$base" "$@"
}
[ "$status" != ${HANDOVER_EXIT_CODE} ] || [ -n "$told" ] || become "$@"
[ -e "$unconfirmed" ] || exit "$status"
if [ -n "$told" ]; then
  [ -n "$late" ] || case $status in 0 | 129 | 130 | 143) mv -f "$unconfirmed" "$stopped" ;; esac
  exit "$status"
fi
export ${TRIAL_ENDED_VARIABLE}="\${late:-$status} $seconds"
become "$@"
`;

/** Returns the command line of the watchdog for the next trial start. `args` are the arguments of the hub. */
export function watchdogCommand(
  paths: UpdatePaths,
  { base }: UpdateState,
  trial: Trial,
  args: readonly string[],
): string[] {
  const { slot, limits, seconds } = trial;
  const left = Math.max(0, limits.seconds - seconds);
  const numbers = [String(left), String(limits.grace)];
  const files = [paths.unconfirmed, paths.stopped, base.path, paths.binary(slot)];
  return ['/bin/sh', '-c', SCRIPT, 'skerry-watchdog', ...numbers, ...files, ...args];
}
