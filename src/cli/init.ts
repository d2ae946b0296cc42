import { existsSync } from 'node:fs';
import { CHILD_STARTED, forwardSignals, WAIT_FOR_CHILD } from '../core/shell-child.ts';

const SHELL = '/bin/sh';

/**
 * Shell script for the first process (pid 1) of a container: it runs the hub as its child, forwards signals,
 * and exits with the hub's exit code. A shell reaps every orphan that the kernel reparents to pid 1. Node
 * would reap only its own children.
 */
const SCRIPT = `
${forwardSignals('TERM INT HUP QUIT')}
exec 3<&0
"$@" <&3 3<&- &
${CHILD_STARTED}
exec 3<&-
${WAIT_FOR_CHILD}
exit "$status"
`;

/** Returns the command line that reaps orphans and runs `command`. Undefined if there is no shell. */
export function initCommand(command: readonly string[]): string[] | undefined {
  return existsSync(SHELL) ? [SHELL, '-c', SCRIPT, 'skerry-init', ...command] : undefined;
}
