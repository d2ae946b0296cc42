import { CHILD_STARTED, forwardSignals, WAIT_FOR_CHILD } from '../core/shell-child.ts';
import { TRIAL_ENDED_VARIABLE } from './env-markers.ts';
import type { UpdatePaths } from './paths.ts';
import type { Trial, UpdateState } from './state.ts';

/**
 * Exit code (EX_TEMPFAIL) by which a hub asks its watchdog to start the recorded binary, which is on trial.
 */
export const HANDOVER_EXIT_CODE = 75;

/**
 * Watchdog of one start of a hub on trial. It is a shell, because that takes 200 KB of memory where Node
 * takes 40 MB, and it stays until the hub ends. It forwards signals. While the hub is not confirmed, it
 * checks once a second, and ends a hub whose time is over. If the hub exits unconfirmed, the shell becomes
 * the base binary, which counts the start and decides. Once the hub is confirmed, the watchdog only waits,
 * and exits with the hub's exit code. It renames one file and writes nothing; the base binary writes all
 * state, flushed.
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

/** Command line of the watchdog for the next start on trial of a hub with `args`. */
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
