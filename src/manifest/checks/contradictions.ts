import type { ListenerEntry, Manifest, ModuleEntry, Upstream, UpstreamEntry } from '../types.ts';
import { durationText, sizeText } from '../units.ts';
import { upstreamClientId, upstreamPath } from '../upstreams.ts';
import { pathOf } from './field-path.ts';
import type { FieldProblem } from './field-problem.ts';

/** Returns the first contradiction between two fields that are valid separately. */
export function findContradiction(manifest: Manifest): FieldProblem | undefined {
  for (const module of manifest.modules) {
    const found = moduleProblem(module) ?? numberProblem(module);
    if (found !== undefined) return { ...found, path: ['modules', module.name, ...found.path] };
  }
  const { healthyFor, within } = manifest.deployment;
  if (within < healthyFor) {
    const least = `"${durationText(healthyFor)}"`;
    const problem = wrong(`"${durationText(within)}"`, 'at least "healthyFor"', least);
    return { path: ['deployment', 'within'], problem };
  }
  return listenerProblem(manifest.listeners) ?? upstreamsProblem(manifest);
}

function moduleProblem({
  io,
  ack,
  tty,
  env,
  secrets,
  devices,
  ...module
}: ModuleEntry): FieldProblem | undefined {
  const { sandbox, network, health } = module;
  if (network === 'none' && sandbox === 'none')
    return { path: ['sandbox', 'network'], problem: 'requires "level": "standard" or "strict"' };
  if (network === 'none' && health?.tcp !== undefined)
    return { path: ['health', 'tcp'], problem: 'cannot reach a module without a network: use "exec"' };
  if (ack && io !== 'lines') return { path: ['ack'], problem: 'requires "io": "lines"' };
  if (ack && tty)
    return { path: ['ack'], problem: 'cannot be combined with "tty", because all its output is logged' };
  const both = secrets.find(({ name }) => Object.hasOwn(env, name));
  if (both !== undefined) return { path: ['secrets', both.name], problem: 'is also in "env"' };
  const duplicate = devices.findIndex((device, index) => devices.indexOf(device) !== index);
  return duplicate < 0 ? undefined : { path: ['devices', duplicate], problem: 'is duplicated' };
}

function numberProblem({ backoff, limits }: ModuleEntry): FieldProblem | undefined {
  const { memory, memoryHigh } = limits;
  if (memory !== undefined && memoryHigh !== undefined && memoryHigh > memory) {
    const problem = wrong(`"${sizeText(memoryHigh)}"`, 'at most "memory"', `"${sizeText(memory)}"`);
    return { path: ['limits', 'memoryHigh'], problem };
  }
  const { firstSeconds, mostSeconds } = backoff;
  if (mostSeconds >= firstSeconds) return undefined;
  const problem = wrong(mostSeconds, 'at least "firstSeconds"', firstSeconds);
  return { path: ['backoff', 'mostSeconds'], problem };
}

/**
 * Returns the problem of a value that contradicts the value of another field. The text shows both values,
 * because one value can be a default that is not in the file.
 */
function wrong(value: string | number, bound: string, other: string | number): string {
  return `is ${value}, and must be ${bound}, which is ${other}`;
}

function listenerProblem(listeners: readonly ListenerEntry[]): FieldProblem | undefined {
  for (const [index, entry] of listeners.entries()) {
    const other = listeners.slice(0, index).findIndex(one => isSameAddress(one, entry));
    if (other >= 0) {
      const problem = `is also the address of listeners[${other}]`;
      return { path: ['listeners', index, entry.kind], problem };
    }
    const found = certificateProblem(entry);
    if (found !== undefined) return { ...found, path: ['listeners', index, ...found.path] };
  }
  return undefined;
}

/**
 * Returns true if two listeners cannot be open at the same time. Such listeners have the same address, or
 * they have the same port and one listener listens on all addresses.
 */
function isSameAddress(one: ListenerEntry, other: ListenerEntry): boolean {
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

/** Returns a problem if only one of `ca` and `clientCertificates` is set, or if `crl` is set without `ca`. */
function certificateProblem(entry: ListenerEntry): FieldProblem | undefined {
  if (!('tls' in entry)) return undefined;
  const { ca, clientCertificates, crl } = entry.tls;
  if (crl !== undefined && ca === undefined)
    return { path: ['crl'], problem: 'is for client certificates: add "ca" and "clientCertificates"' };
  if ((ca === undefined) === (clientCertificates === 'none')) return undefined;
  const problem =
    ca === undefined
      ? 'is missing: set the file with the CA of the client certificates'
      : 'is for client certificates: set "clientCertificates" to "optional" or "required"';
  return { path: ['ca'], problem };
}

function upstreamsProblem(manifest: Manifest): FieldProblem | undefined {
  const { upstreams } = manifest;
  for (const [index, upstream] of upstreams.entries()) {
    const other = upstreams.slice(0, index).find(one => isSameSession(manifest.name, one, upstream));
    const found =
      upstreamProblem(upstream) ?? (other && sameSession(pathOf(upstreamPath(manifest, other.name))));
    if (found !== undefined)
      return { ...found, path: [...upstreamPath(manifest, upstream.name), ...found.path] };
  }
  return undefined;
}

/**
 * Returns true if two upstreams have the same client identifier at the same server. A server closes the older
 * of two such connections.
 */
function isSameSession(device: string, one: UpstreamEntry, other: UpstreamEntry): boolean {
  if (upstreamClientId(device, one) !== upstreamClientId(device, other)) return false;
  return one.urls.some(({ host, port }) => other.urls.some(url => url.host === host && url.port === port));
}

function sameSession(other: string): FieldProblem {
  return {
    path: ['clientId'],
    problem: `is also the client identifier of ${other} at the same address: set different client identifiers`,
  };
}

function upstreamProblem({ urls, tls, username, password, down }: Upstream): FieldProblem | undefined {
  if (tls !== undefined && !urls.some(({ secure }) => secure))
    return { path: ['tls'], problem: 'requires an address that begins with "mqtts://"' };
  if (password !== undefined && username === undefined)
    return { path: ['username'], problem: 'is missing: a password requires a user name' };
  const repeated = down.findIndex((filter, index) => down.indexOf(filter) !== index);
  return repeated < 0 ? undefined : { path: ['down', repeated], problem: 'is duplicated' };
}
