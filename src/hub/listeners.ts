import { isDeepStrictEqual } from 'node:util';
import type { Broker } from '../broker/broker.ts';
import type { OpenListener } from '../broker/listeners/settings.ts';
import { backoffMs } from '../core/async/backoff.ts';
import { oneAtATime } from '../core/async/one-at-a-time.ts';
import type { Cancel, Clock } from '../core/clock.ts';
import { Failure, reasonOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { ListenerEntry } from '../manifest/types.ts';
import { INITIAL_LISTENER_RETRY_MS, MAX_LISTENER_RETRY_MS } from './limits.ts';
import { addressOf, listenerSettings, urlForModules } from './listener-settings.ts';

/** Listener that could not be opened, with the reason. */
export type ClosedListener = { readonly address: string; readonly reason: string };

/** Listeners of the current manifest. */
export type Listeners = {
  /**
   * Opens new listeners, and closes removed listeners together with their client connections. A listener that
   * cannot be opened does not affect the other listeners. The hub retries to open this listener until the
   * listener is open or removed. Throws after the first attempt for all listeners: Failure `listener.in-use`
   * if an address is in use, otherwise the first other failure.
   */
  readonly use: (entries: readonly ListenerEntry[], home: string) => Promise<void>;
  readonly addresses: () => readonly string[];
  readonly closed: () => readonly ClosedListener[];
  /** Returns the broker's URL for modules. Undefined if there are no listeners. */
  readonly urlForModules: () => string | undefined;
  /** Stops the retries. Resolves when no attempt to open a listener is in progress. */
  readonly stop: () => Promise<void>;
};

type Wanted = { readonly entry: ListenerEntry; readonly home: string };
type Open = Wanted & { readonly listener: OpenListener };
type Closed = Wanted & { readonly failure: Failure; readonly failures: number; readonly cancel: Cancel };

export type ListenersSettings = Pick<Broker, 'listen'> & { readonly clock: Clock; readonly log: Log };

export function createListeners({ listen, clock, log }: ListenersSettings): Listeners {
  const inTurn = oneAtATime();
  let wanted: readonly ListenerEntry[] = [];
  let open: readonly Open[] = [];
  let closed: readonly Closed[] = [];
  let stopped = false;

  const place = ({ entry }: Wanted): number => wanted.findIndex(one => isDeepStrictEqual(one, entry));
  const byPlace = (one: Wanted, other: Wanted): number => place(one) - place(other);

  const tryToOpen = async (one: Wanted, failures = 0): Promise<Open | Failure> => {
    try {
      const listener = await listen(listenerSettings(one.entry, one.home));
      const opened = { ...one, listener };
      open = [...open, opened].toSorted(byPlace);
      return opened;
    } catch (thrown) {
      const failure = thrown instanceof Failure ? thrown : unexpected(one, thrown);
      const wait = backoffMs(failures, {
        initialMs: INITIAL_LISTENER_RETRY_MS,
        maxMs: MAX_LISTENER_RETRY_MS,
      });
      const cancel = clock.after(wait, () => void inTurn(() => retry(found)));
      const found: Closed = { ...one, failure, failures: failures + 1, cancel };
      closed = [...closed, found].toSorted(byPlace);
      return failure;
    }
  };

  const retry = async (one: Closed): Promise<void> => {
    if (stopped || !closed.includes(one)) return;
    closed = closed.filter(other => other !== one);
    const found = await tryToOpen(one, one.failures);
    if (!(found instanceof Failure)) log.info(`The hub now listens on ${found.listener.address}.`);
    else if (found.message !== one.failure.message) logRetry(found);
  };

  const logRetry = (failure: Failure): void =>
    log.warn(`${failure.message} The hub tries again while it runs.`);

  const change: Listeners['use'] = async (entries, home) => {
    wanted = entries;
    const stays = (one: Open): boolean => (one.home === home || isByAddress(one.entry)) && place(one) >= 0;
    // Closes removed listeners first, because a new listener can use the address of a removed listener.
    const leaving = open.filter(one => !stays(one));
    open = open.filter(stays).toSorted(byPlace);
    for (const { cancel } of closed) cancel();
    closed = [];
    await Promise.all(leaving.map(({ listener }) => listener.close()));
    const failures: Failure[] = [];
    for (const entry of entries) {
      if (open.some(one => isDeepStrictEqual(one.entry, entry))) continue;
      const found = await tryToOpen({ entry, home });
      if (found instanceof Failure) failures.push(found);
    }
    for (const failure of failures) logRetry(failure);
    const worst = failures.find(({ code }) => code === 'listener.in-use') ?? failures[0];
    if (worst !== undefined) throw worst;
  };

  return {
    // Calls of `use` run one after another. A call takes time if it closes a listener, because the clients of
    // the listener must disconnect first.
    use: (entries, home) => inTurn(() => change(entries, home)),
    addresses: () => open.map(({ listener }) => listener.address),
    closed: () =>
      closed.map(({ entry, home, failure }) => ({
        address: addressOf(entry, home),
        reason: failure.message,
      })),
    urlForModules: () => {
      // The list includes listeners that are not open yet, because modules retry their connections.
      const opened = open.map(one => ({ ...one, address: one.listener.address }));
      const coming = closed.map(one => ({ ...one, address: addressOf(one.entry, one.home) }));
      const all = [...opened, ...coming].toSorted(byPlace);
      return urlForModules(all.map(({ entry, address }) => ({ kind: entry.kind, address })));
    },
    stop: () => {
      stopped = true;
      for (const { cancel } of closed) cancel();
      return inTurn(async () => {});
    },
  };
}

function unexpected({ entry, home }: Wanted, thrown: unknown): Failure {
  return new Failure('listener.refused', `Cannot listen on ${addressOf(entry, home)}: ${reasonOf(thrown)}.`);
}

/**
 * True if the settings of the listener contain no file paths. A change of `home` does not affect such a
 * listener.
 */
function isByAddress({ kind }: ListenerEntry): boolean {
  return kind === 'mqtt' || kind === 'ws';
}
