import { isDeepStrictEqual } from 'node:util';
import type { Manifest, UpstreamEntry } from '../types.ts';

/** Change of one upstream between two manifests. */
export type UpstreamChange = {
  readonly upstream: string;
  readonly change: 'start' | 'stop' | 'restart' | 'keep';
  /**
   * Names of the changed fields that require a restart of the upstream. Empty if the upstream is not
   * restarted.
   */
  readonly fields: readonly string[];
};

/** Manifest, and the folder in which its relative paths start. */
type Home = { readonly manifest: Pick<Manifest, 'name' | 'upstreams'>; readonly home: string };

/**
 * Returns the settings of each upstream by name. An upstream restarts if its settings differ between two
 * manifests.
 */
export function upstreamSettings({ manifest, home }: Home): ReadonlyMap<string, UpstreamSettings> {
  return new Map(
    manifest.upstreams.map(entry => [
      entry.name,
      // The folder is compared only for upstreams with TLS, because only TLS settings contain file paths.
      { entry, device: manifest.name, home: entry.tls === undefined ? undefined : home },
    ]),
  );
}

type UpstreamSettings = {
  readonly entry: UpstreamEntry;
  readonly device: string;
  readonly home: string | undefined;
};

/** Returns the changes of the upstreams between two manifests. */
export function upstreamChanges(current: Home, target: Home): UpstreamChange[] {
  const running = upstreamSettings(current);
  const targetSettings = upstreamSettings(target);
  const stops = [...running.keys()].filter(name => !targetSettings.has(name));
  return [
    ...stops.map((name): UpstreamChange => ({ upstream: name, change: 'stop', fields: [] })),
    ...Array.from(targetSettings, ([name, settings]) => changeOf(name, running.get(name), settings)),
  ];
}

function changeOf(
  upstream: string,
  before: UpstreamSettings | undefined,
  after: UpstreamSettings,
): UpstreamChange {
  if (before === undefined) return { upstream, change: 'start', fields: [] };
  const fields = changedFields(before.entry, after.entry);
  if (before.device !== after.device) fields.push("the device's name");
  if (before.home !== after.home && before.home !== undefined && after.home !== undefined)
    fields.push(`folder of its files (${before.home}, now ${after.home})`);
  return { upstream, change: fields.length === 0 ? 'keep' : 'restart', fields };
}

function changedFields(one: UpstreamEntry, other: UpstreamEntry): string[] {
  const [before, after]: Readonly<Record<string, unknown>>[] = [one, other];
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].filter(name => !isDeepStrictEqual(before?.[name], after?.[name]));
}
