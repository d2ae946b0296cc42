import { constants } from 'node:os';
import type { LifecycleEvent } from '../lifecycle.ts';
import type { RestartPolicy } from '../spec.ts';

/** How a process ended: by its exit code, or by a signal. */
export type Exit =
  | { readonly kind: 'code'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: string };

const AFTER: Readonly<Record<RestartPolicy, Readonly<Record<'well' | 'badly', LifecycleEvent>>>> = {
  never: { well: 'done', badly: 'broken' },
  'on-failure': { well: 'done', badly: 'again' },
  'on-unhealthy': { well: 'done', badly: 'again' },
  always: { well: 'again', badly: 'again' },
};

/** What the end of a process means for its module. */
export function eventAfter(exit: Exit, policy: RestartPolicy): LifecycleEvent {
  return AFTER[policy][exit.kind === 'code' && exit.code === 0 ? 'well' : 'badly'];
}

/** What a shell says of a process that a signal ended: an exit code of 128 and the signal's number. */
export function exitOfShell(code: number): Exit {
  return code > 128 ? { kind: 'signal', signal: signalName(code - 128) } : { kind: 'code', code };
}

export function signalName(number: number): string {
  const [name] = Object.entries(constants.signals).find(([, value]) => value === number) ?? [];
  return name ?? `signal ${number}`;
}

/** `exit 3`, or `SIGKILL`. */
export function describeExit(exit: Exit): string {
  return exit.kind === 'code' ? `exit ${exit.code}` : exit.signal;
}
