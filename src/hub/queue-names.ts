import { upstreamSource } from '../routes/sources.ts';

/** Queue of an upstream: `$upstream`, or `$upstream/<name>`, as in routes. */
export const upstreamQueue: (upstream: string) => string = upstreamSource;

/** Queue of a module's input. */
export function inputQueue(module: string, input: string): string {
  return `input/${module}/${input}`;
}

/** Topic on which a module receives an input over MQTT. */
export function inputTopic(module: string, input: string): string {
  return `modules/${module}/inputs/${input}`;
}

/** Topic on which subscribers receive a module's output. */
export function outputTopic(module: string, output: string): string {
  return `modules/${module}/outputs/${output}`;
}

/** Prefixes of the broker's queues: MQTT sessions and shared subscription groups. */
const CLIENT_PREFIXES = ['session/', 'share/'];

/** True if the queue belongs to MQTT clients, which may never come back. */
export function isSessionQueue(queue: string): boolean {
  return CLIENT_PREFIXES.some(prefix => queue.startsWith(prefix));
}
