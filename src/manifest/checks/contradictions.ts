import type { ListenerEntry, Manifest, ModuleEntry, Upstream, UpstreamEntry } from '../types.ts';
import { durationText, sizeText } from '../units.ts';
import { upstreamClientId, upstreamPath } from '../upstreams.ts';
import type { Complaint } from './complaint.ts';
import { pathOf } from './field-path.ts';

/** The first two fields that do not go together though each is good by itself. */
export function contradictionIn(manifest: Manifest): Complaint | undefined {
  for (const module of manifest.modules) {
    const found = inModule(module) ?? inNumbers(module);
    if (found !== undefined) return { ...found, path: ['modules', module.name, ...found.path] };
  }
  const { healthyFor, within } = manifest.deployment;
  if (within < healthyFor) {
    const least = `"${durationText(healthyFor)}"`;
    const complaint = wrong(`"${durationText(within)}"`, 'at least "healthyFor"', least);
    return { path: ['deployment', 'within'], complaint };
  }
  return inListeners(manifest.listeners) ?? inUpstreams(manifest);
}

function inModule({ io, ack, tty, env, secrets, devices, ...module }: ModuleEntry): Complaint | undefined {
  const { sandbox, network, health } = module;
  if (network === 'none' && sandbox === 'none')
    return { path: ['sandbox', 'network'], complaint: 'needs "level": "standard" or "strict"' };
  if (network === 'none' && health?.tcp !== undefined)
    return { path: ['health', 'tcp'], complaint: 'cannot reach a module without a network: say "exec"' };
  if (ack && io !== 'lines') return { path: ['ack'], complaint: 'is for modules with "io": "lines"' };
  if (ack && tty) return { path: ['ack'], complaint: 'cannot be with "tty": all that it prints is log' };
  const both = secrets.find(({ name }) => Object.hasOwn(env, name));
  if (both !== undefined) return { path: ['secrets', both.name], complaint: 'is in "env" too' };
  const again = devices.findIndex((device, index) => devices.indexOf(device) !== index);
  return again < 0 ? undefined : { path: ['devices', again], complaint: 'is there twice' };
}

function inNumbers({ backoff, limits }: ModuleEntry): Complaint | undefined {
  const { memory, memoryHigh } = limits;
  if (memory !== undefined && memoryHigh !== undefined && memoryHigh > memory) {
    const complaint = wrong(`"${sizeText(memoryHigh)}"`, 'at most "memory"', `"${sizeText(memory)}"`);
    return { path: ['limits', 'memoryHigh'], complaint };
  }
  const { firstSeconds, mostSeconds } = backoff;
  if (mostSeconds >= firstSeconds) return undefined;
  const complaint = wrong(mostSeconds, 'at least "firstSeconds"', firstSeconds);
  return { path: ['backoff', 'mostSeconds'], complaint };
}

/** Both values are said: one of them may be a default that nobody wrote. */
function wrong(value: string | number, bound: string, other: string | number): string {
  return `is ${value}, and must be ${bound}, which is ${other}`;
}

function inListeners(listeners: readonly ListenerEntry[]): Complaint | undefined {
  for (const [index, entry] of listeners.entries()) {
    const other = listeners.slice(0, index).findIndex(one => isSamePlace(one, entry));
    if (other >= 0) {
      const complaint = `is the address of listeners[${other}] too`;
      return { path: ['listeners', index, entry.kind], complaint };
    }
    const found = aboutCertificates(entry);
    if (found !== undefined) return { ...found, path: ['listeners', index, ...found.path] };
  }
  return undefined;
}

/** True if the system would refuse the second of two listeners: one on all addresses takes the port of each. */
function isSamePlace(one: ListenerEntry, other: ListenerEntry): boolean {
  if (one.kind === 'unix' || other.kind === 'unix') {
    return one.kind === 'unix' && other.kind === 'unix' && one.file === other.file;
  }
  if (one.port !== other.port || one.port === 0) return false;
  const [host, otherHost] = [one.host.toLowerCase(), other.host.toLowerCase()];
  return host === otherHost || isOnAll(host, otherHost) || isOnAll(otherHost, host);
}

function isOnAll(host: string, other: string): boolean {
  return host === '::' || (host === '0.0.0.0' && !other.includes(':'));
}

/** What checks clients' certificates, and what is checked, go together. */
function aboutCertificates(entry: ListenerEntry): Complaint | undefined {
  if (!('tls' in entry)) return undefined;
  const { ca, clientCertificates, crl } = entry.tls;
  if (crl !== undefined && ca === undefined)
    return { path: ['crl'], complaint: 'is for certificates of clients: add "ca" and "clientCertificates"' };
  if ((ca === undefined) === (clientCertificates === 'none')) return undefined;
  const complaint =
    ca === undefined
      ? 'is missing: it says which certificates of clients are good'
      : 'is for certificates of clients: say "clientCertificates": "optional" or "required"';
  return { path: ['ca'], complaint };
}

function inUpstreams(manifest: Manifest): Complaint | undefined {
  const { upstreams } = manifest;
  for (const [index, upstream] of upstreams.entries()) {
    const other = upstreams.slice(0, index).find(one => isSameSession(manifest.name, one, upstream));
    const found = inUpstream(upstream) ?? (other && sameSession(pathOf(upstreamPath(manifest, other.name))));
    if (found !== undefined)
      return { ...found, path: [...upstreamPath(manifest, upstream.name), ...found.path] };
  }
  return undefined;
}

/** True if a server would take the connection of one for that of the other, and end it. */
function isSameSession(device: string, one: UpstreamEntry, other: UpstreamEntry): boolean {
  if (upstreamClientId(device, one) !== upstreamClientId(device, other)) return false;
  return one.urls.some(({ host, port }) => other.urls.some(url => url.host === host && url.port === port));
}

function sameSession(other: string): Complaint {
  return { path: ['clientId'], complaint: `is that of ${other} too, at the same address: give each its own` };
}

function inUpstream({ urls, tls, username, password, down }: Upstream): Complaint | undefined {
  if (tls !== undefined && !urls.some(({ secure }) => secure))
    return { path: ['tls'], complaint: 'is for addresses that begin with "mqtts://"' };
  if (password !== undefined && username === undefined)
    return { path: ['username'], complaint: 'is missing: it says whose the password is' };
  const twice = down.findIndex((filter, index) => down.indexOf(filter) !== index);
  return twice < 0 ? undefined : { path: ['down', twice], complaint: 'is there twice' };
}
