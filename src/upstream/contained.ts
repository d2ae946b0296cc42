import type { ForwarderSettings } from './settings.ts';

/** Members of `ForwarderSettings` to which a forwarder passes callbacks. */
type Dependencies = Pick<ForwarderSettings, 'clock' | 'drain' | 'take' | 'pressure' | 'memory'>;

/** Wraps a function. The wrapper passes each exception of the function to `threw`. */
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
 * Wraps every callback that a forwarder passes to timers and to the store. An exception in a callback then
 * cannot disturb other users of the timers and the store. The callback `send` needs no wrapper: a drain
 * (reader of a queue) catches the exceptions of `send`.
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
