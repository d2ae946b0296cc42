import { upstreamSource } from '../routes/sources.ts';

/** Returns the queue name of an upstream: `$upstream` or `$upstream/<name>`. Routes use the same name. */
export const upstreamQueue: (upstream: string) => string = upstreamSource;

/** Returns the queue name of a module's input. */
export function inputQueue(module: string, input: string): string {
  return `input/${module}/${input}`;
}

/** Returns the topic on which a module receives the messages for an input over MQTT. */
export function inputTopic(module: string, input: string): string {
  return `modules/${module}/inputs/${input}`;
}

/** Returns the topic on which subscribers receive the messages of a module's output. */
export function outputTopic(module: string, output: string): string {
  return `modules/${module}/outputs/${output}`;
}

/** Prefixes of the queue names of MQTT sessions and of shared subscription groups. */
const CLIENT_PREFIXES = ['session/', 'share/'];

/** True if the queue belongs to an MQTT session or a shared subscription group. */
export function isSessionQueue(queue: string): boolean {
  return CLIENT_PREFIXES.some(prefix => queue.startsWith(prefix));
}
