import { isDeepStrictEqual } from 'node:util';
import type { Broker } from '../broker/broker.ts';
import type { OpenListener } from '../broker/listeners/settings.ts';
import { oneAtATime } from '../core/one-at-a-time.ts';
import type { ListenerEntry } from '../manifest/types.ts';
import { listenerSettings, urlForModules } from './listeners.ts';

/** Where clients come in, as the manifest says it. */
export type Listening = {
  /**
   * Opens what is not open yet and closes what is not wanted any more, whose clients go. If one cannot be opened, those
   * before it stay. Failure `listener.in-use`, `listener.refused`.
   */
  readonly use: (entries: readonly ListenerEntry[], home: string) => Promise<void>;
  readonly addresses: () => readonly string[];
  /** Where modules find the broker; undefined: it listens nowhere. */
  readonly urlForModules: () => string | undefined;
};

type Open = { readonly entry: ListenerEntry; readonly home: string; readonly listener: OpenListener };

export function createListening({ listen }: Pick<Broker, 'listen'>): Listening {
  const inTurn = oneAtATime();
  let open: readonly Open[] = [];

  const change: Listening['use'] = async (entries, home) => {
    const stays = (one: Open): boolean =>
      (one.home === home || isByAddress(one.entry)) &&
      entries.some(entry => isDeepStrictEqual(entry, one.entry));
    // Closed first: another of the same address may follow.
    const leaving = open.filter(one => !stays(one));
    open = open.filter(stays);
    await Promise.all(leaving.map(({ listener }) => listener.close()));
    for (const entry of entries) {
      if (open.some(one => isDeepStrictEqual(one.entry, entry))) continue;
      open = [...open, { entry, home, listener: await listen(listenerSettings(entry, home)) }];
    }
    const placeOf = ({ entry }: Open): number => entries.findIndex(one => isDeepStrictEqual(one, entry));
    open = open.toSorted((one, other) => placeOf(one) - placeOf(other));
  };

  return {
    // One that was left goes on, and takes at most as long as a client may take to go.
    use: (entries, home) => inTurn(() => change(entries, home)),
    addresses: () => open.map(({ listener }) => listener.address),
    urlForModules: () =>
      urlForModules(open.map(({ entry, listener }) => ({ kind: entry.kind, address: listener.address }))),
  };
}

/** Such a listener has no files. */
function isByAddress({ kind }: ListenerEntry): boolean {
  return kind === 'mqtt' || kind === 'ws';
}
