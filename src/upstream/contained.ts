import type { ForwarderSettings } from './settings.ts';

type Surroundings = Pick<ForwarderSettings, 'clock' | 'drain' | 'take' | 'pressure' | 'memory'>;

/** Wraps a step so that its exceptions go to `threw`. */
export function contain<Args extends unknown[]>(
  step: (...args: Args) => void,
  threw: (thrown: unknown) => void,
): (...args: Args) => void {
  return (...args) => {
    try {
      step(...args);
    } catch (thrown) {
      threw(thrown);
    }
  };
}

/**
 * Wraps every callback that a forwarder gives to timers and the store, so that an exception cannot reach
 * other users of them. A drain contains its `send` itself.
 */
export function containedBy(
  threw: (thrown: unknown) => void,
  { clock, drain, take, pressure, memory }: Surroundings,
): Surroundings {
  return {
    clock: {
      ...clock,
      after: (milliseconds, action) => clock.after(milliseconds, contain(action, threw)),
    },
    drain: wanted => {
      const opened = drain(wanted);
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
