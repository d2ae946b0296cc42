import type { ForwarderSettings } from './settings.ts';

/** Dependencies of a forwarder that call functions of the forwarder. */
type Dependencies = Pick<ForwarderSettings, 'clock' | 'drain' | 'take' | 'pressure' | 'memory'>;

/** Wraps a function so that its exceptions are passed to `threw`. */
export function contain<Args extends unknown[]>(
  run: (...args: Args) => void,
  threw: (thrown: unknown) => void,
): (...args: Args) => void {
  return (...args) => {
    try {
      run(...args);
    } catch (thrown) {
      threw(thrown);
    }
  };
}

/**
 * Wraps every callback that a forwarder passes to timers and to the store, so that an exception in a callback
 * cannot disturb other users of the timers and the store. `send` needs no wrapper, because a drain catches
 * its exceptions.
 */
export function containedBy(
  threw: (thrown: unknown) => void,
  { clock, drain, take, pressure, memory }: Dependencies,
): Dependencies {
  return {
    clock: {
      ...clock,
      after: (milliseconds, action) => clock.after(milliseconds, contain(action, threw)),
    },
    drain: settings => {
      const opened = drain(settings);
      return {
        ...opened,
        acknowledge: (entry, settle) => opened.acknowledge(entry, settle && contain(settle, threw)),
      };
    },
    pressure: { ...pressure, whenLow: resume => pressure.whenLow(contain(resume, threw)) },
    take: (message, settle, note) => take(message, contain(settle, threw), note),
    memory: {
      ...memory,
      keepSession: (session, settle) => memory.keepSession(session, contain(settle, threw)),
      receipts: {
        ...memory.receipts,
        forget: (packetId, settle) => memory.receipts.forget(packetId, contain(settle, threw)),
      },
    },
  };
}
