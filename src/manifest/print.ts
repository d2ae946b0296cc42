import { hostPort } from '../core/net/host-port.ts';
import { parseManifest } from './read.ts';
import { addressText } from './schema/upstream-address.ts';
import { timeOfDayText } from './schema/upstream-schedule.ts';
import type {
  Limits,
  ListenerEntry,
  Manifest,
  ModuleEntry,
  RouteEntry,
  SecretEntry,
  UpstreamEntry,
  UserEntry,
} from './types.ts';
import { durationText, sizeText } from './units.ts';
import { isShort } from './upstreams.ts';

/**
 * Returns the text of a manifest with all defaults filled in. A password in `upstream.url` is not hidden,
 * because the text is only shown to a user who can read the file. The signature does not match the returned
 * text, because the signature was made for the original file.
 * @throws Failure `manifest.syntax`, `manifest.field`
 */
export function printManifest(text: string, file: string): string {
  return JSON.stringify(toWrittenForm(parseManifest(text, file)), undefined, 2);
}

/** Converts a manifest to the form of a manifest file, with units and all defaults. */
export function toWrittenForm(manifest: Manifest): object {
  const { name, serial, signature, dialect, modules, routes, storeAndForward, listeners } = manifest;
  const { users, anonymous, deployment, hub, limits, retained, upstreams } = manifest;
  const { ttl, maxSize, maxQueueSize, whenFull, commitWindow } = storeAndForward;
  return {
    name,
    serial,
    for: manifest.for,
    signature,
    dialect,
    modules: byName(modules, moduleOf),
    routes: byName(routes, routeOf),
    storeAndForward: {
      ttl: durationText(ttl),
      maxSize: sizeText(maxSize),
      maxQueueSize: sizeIf(maxQueueSize),
      whenFull,
      commitWindow: durationText(commitWindow),
    },
    listeners: listeners.map(listenerOf),
    users: byName(users, userOf),
    anonymous,
    deployment: {
      healthyFor: durationText(deployment.healthyFor),
      within: durationText(deployment.within),
    },
    hub,
    limits: limitsOf(limits),
    retained,
    ...upstreamsOf(upstreams),
  };
}

function byName<Entry extends { readonly name: string }>(
  entries: readonly Entry[],
  toWritten: (entry: Entry) => object,
): object {
  return Object.fromEntries(entries.map(entry => [entry.name, toWritten(entry)]));
}

function moduleOf({ name: _, exec, bundle, secrets, limits, network, ...rest }: ModuleEntry): object {
  return {
    exec,
    bundle: bundle === undefined ? undefined : { ...bundle, size: sizeText(bundle.size) },
    ...rest,
    sandbox: network === undefined ? rest.sandbox : { level: rest.sandbox, network },
    secrets: byName(secrets, secretOf),
    limits: { ...limits, memory: sizeIf(limits.memory), memoryHigh: sizeIf(limits.memoryHigh) },
  };
}

function secretOf({ sealed, as }: SecretEntry): object {
  return { sealed, as };
}

function routeOf({ text, priority, ttl }: RouteEntry): object {
  return { route: text, priority, ttl: ttl === undefined ? undefined : durationText(ttl) };
}

function userOf({ name: _, ...rest }: UserEntry): object {
  return rest;
}

function listenerOf(entry: ListenerEntry): object {
  if (entry.kind === 'unix') {
    const { file, mode, maxConnections } = entry;
    return { unix: file, mode: `0${mode.toString(8)}`, maxConnections };
  }
  const { kind, host, port, ...rest } = entry;
  const { tls, ...web } = 'tls' in rest ? rest : { ...rest, tls: {} };
  return { [kind]: hostPort(host, port), ...web, ...tls };
}

function limitsOf({ packetSize, keepAlive, subscriptionBytes, retainedBytes, ...rest }: Limits): object {
  return {
    packetSize: sizeText(packetSize),
    keepAlive: durationIf(keepAlive),
    ...rest,
    subscriptionBytes: sizeText(subscriptionBytes),
    retainedBytes: sizeText(retainedBytes),
  };
}

function upstreamsOf(upstreams: readonly UpstreamEntry[]): object {
  const all = byName(upstreams, upstreamOf);
  if (isShort(upstreams)) return all;
  return upstreams.length === 0 ? {} : { upstreams: all };
}

function upstreamOf({
  name: _,
  urls,
  keepAlive,
  budget,
  interval,
  schedule,
  ...rest
}: UpstreamEntry): object {
  const [first, ...others] = urls.map(addressText);
  return {
    ...(others.length === 0 ? { url: first } : { urls: [first, ...others] }),
    ...rest,
    keepAlive: durationText(keepAlive),
    budget: sizeIf(budget),
    interval: durationIf(interval),
    schedule: schedule.map(timeOfDayText),
  };
}

function durationIf(milliseconds: number | undefined): string | undefined {
  return milliseconds === undefined ? undefined : durationText(milliseconds);
}

function sizeIf(bytes: number | undefined): string | undefined {
  return bytes === undefined ? undefined : sizeText(bytes);
}
