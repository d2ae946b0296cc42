import type { ListenerEntry, Manifest, ModuleEntry, Upstream } from '../types.ts';
import { durationText, sizeText } from '../units.ts';
import type { Complaint } from './complaint.ts';

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
  return inListeners(manifest.listeners) ?? inUpstream(manifest.upstream);
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

function inUpstream(upstream: Upstream | undefined): Complaint | undefined {
  if (upstream === undefined) return undefined;
  const { urls, tls, username, password } = upstream;
  if (tls !== undefined && !urls.some(({ secure }) => secure))
    return { path: ['upstream', 'tls'], complaint: 'is for addresses that begin with "mqtts://"' };
  if (password !== undefined && username === undefined)
    return { path: ['upstream', 'username'], complaint: 'is missing: it says whose the password is' };
  const twice = upstream.down.findIndex((filter, index) => upstream.down.indexOf(filter) !== index);
  return twice < 0 ? undefined : { path: ['upstream', 'down', twice], complaint: 'is there twice' };
}
