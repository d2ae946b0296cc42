/**
 * Returns the first part of a shell script that forwards `signals` to one child process. After this part the
 * caller appends the command that starts the child, CHILD_STARTED, and WAIT_FOR_CHILD. The script has three
 * variables: `told` is the last signal that was received, `pid` is the process id of the child, and `status`
 * is the exit code of the child.
 *
 * A shell without job control starts a background process with SIGINT ignored and without input. A child that
 * runs Node enables SIGINT again at its start.
 */
export function forwardSignals(signals: string): string {
  return `
told= pid= status= passed= again=
forward() {
  told=$1 passed=1
  [ -z "$pid" ] || kill -s "$1" "$pid" 2>/dev/null
}
for one in ${signals}; do trap "forward $one" "$one"; done
`;
}

/**
 * Shell code that must follow directly after the command that starts the child. Forwards a signal that was
 * received before the start.
 */
export const CHILD_STARTED = `
pid=$!
[ -z "$told" ] || kill -s "$told" "$pid" 2>/dev/null
`;

/**
 * Shell code that waits until the child has exited. If a signal interrupts `wait`, `wait` returns the code of
 * the signal and is called again. Code 127 means that an earlier call of `wait` has returned the exit code. A
 * code above 128 is confirmed by a second call, because under load bash sometimes reports a signal that it
 * has not received.
 */
export const WAIT_FOR_CHILD = `
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
`;
