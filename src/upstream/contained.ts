import type { ForwarderSettings } from './settings.ts';

type Surroundings = Pick<ForwarderSettings, 'clock' | 'drain' | 'take' | 'pressure' | 'memory'>;

/** A step that never throws: its exceptions go to `threw`. */
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
 * The surroundings of a forwarder with every callback contained that it hands to them: what timers and the store call back
 * must not throw into whoever else they serve. A drain contains its `send` by itself.
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
