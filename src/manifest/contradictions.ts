import type { Complaint } from './complaint.ts';
import type { ListenerEntry, Manifest, ModuleEntry } from './types.ts';
import { durationText, sizeText } from './units.ts';

/** The first two fields that do not go together though each is good by itself. */
export function contradictionIn(manifest: Manifest): Complaint | undefined {
  const { modules, deployment, storeAndForward, listeners } = manifest;
  for (const module of modules) {
    const found = inModule(module);
    if (found !== undefined) return { ...found, path: ['modules', module.name, ...found.path] };
  }
  const { maxSize, maxQueueSize = 0 } = storeAndForward;
  if (maxQueueSize > maxSize) {
    return {
      path: ['storeAndForward', 'maxQueueSize'],
      complaint: `must not be above "maxSize", which is "${sizeText(maxSize)}"`,
    };
  }
  if (deployment.within < deployment.healthyFor) {
    return {
      path: ['deployment', 'within'],
      complaint: `must not be shorter than "healthyFor", and is "${durationText(deployment.within)}"`,
    };
  }
  const found = inListeners(listeners);
  return found === undefined ? undefined : { ...found, path: ['listeners', ...found.path] };
}

function inModule(module: ModuleEntry): Complaint | undefined {
  const { io, ack, tty, env, secrets, devices, backoff, limits } = module;
  if (ack && io !== 'lines') return { path: ['ack'], complaint: 'is for modules with "io": "lines"' };
  if (ack && tty) return { path: ['ack'], complaint: 'cannot be with "tty": all that it prints is log' };
  if (limits.memoryHigh !== undefined && limits.memoryHigh > (limits.memory ?? limits.memoryHigh)) {
    return { path: ['limits', 'memoryHigh'], complaint: 'must not be above "memory"' };
  }
  if (backoff.mostSeconds < backoff.firstSeconds) {
    return {
      path: ['backoff', 'mostSeconds'],
      complaint: `must not be below "firstSeconds", and is ${backoff.mostSeconds}`,
    };
  }
  const twice = secrets.find(({ name }) => Object.hasOwn(env, name));
  if (twice !== undefined) return { path: ['secrets', twice.name], complaint: 'is in "env" too' };
  const again = devices.findIndex((device, index) => devices.indexOf(device) !== index);
  return again < 0 ? undefined : { path: ['devices', again], complaint: 'is there twice' };
}

function inListeners(listeners: readonly ListenerEntry[]): Complaint | undefined {
  const taken = new Map<string, number>();
  for (const [index, entry] of listeners.entries()) {
    const place = entry.kind === 'unix' ? entry.file : `${entry.host.toLowerCase()}:${entry.port}`;
    const other = taken.get(place);
    if (other !== undefined) {
      return { path: [index, entry.kind], complaint: `is the address of listeners[${other}] too` };
    }
    // Port 0 is any that is free, each time another.
    if (entry.kind === 'unix' || entry.port !== 0) taken.set(place, index);
    const certificates = 'tls' in entry ? entry.tls : undefined;
    if (certificates === undefined) continue;
    const { ca, clientCertificates } = certificates;
    if ((ca === undefined) === (clientCertificates === 'none')) continue;
    const complaint =
      ca === undefined
        ? 'is missing: it says which certificates of clients are good'
        : 'is for certificates of clients: say "clientCertificates": "optional" or "required"';
    return { path: [index, 'ca'], complaint };
  }
  return undefined;
}
