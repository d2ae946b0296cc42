/**
 * Shell code that starts one program in the background, forwards signals to it and waits for its exit. The
 * parts go around the caller's own commands, and share these variables: `told` is the last signal that
 * arrived, `pid` is the child, and `status` its exit code.
 *
 * Without job control a shell starts a background program with SIGINT ignored and without input; Node undoes
 * the first.
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

/** Follows directly after the command that starts the child; forwards a signal that arrived before. */
export const CHILD_STARTED = `
pid=$!
[ -z "$told" ] || kill -s "$told" "$pid" 2>/dev/null
`;

/**
 * Waits until the child has exited. A \`wait\` that a signal interrupts returns the signal, so it is called
 * again; 127 means that an earlier call returned the exit code. Under load bash may report one signal more
 * than arrived, so an exit code that looks like a signal is confirmed by a second call.
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
