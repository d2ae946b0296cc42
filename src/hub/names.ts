import { upstreamSource } from '../routes/sources.ts';

/** Queue of an upstream: `$upstream`, or `$upstream/<name>`, as in routes. */
export const upstreamQueue: (upstream: string) => string = upstreamSource;

/** The queue of one input of a module. */
export function inputQueue(module: string, input: string): string {
  return `input/${module}/${input}`;
}

/** The topic on which a module that speaks MQTT receives one of its inputs. */
export function inputTopic(module: string, input: string): string {
  return `modules/${module}/inputs/${input}`;
}

/** The topic under which what a module sends from an output is known to every subscriber. */
export function outputTopic(module: string, output: string): string {
  return `modules/${module}/outputs/${output}`;
}

/** The queues of MQTT sessions, and of groups of shared subscribers, as the broker names them. */
const CLIENT_PREFIXES = ['session/', 'share/'];

/** True if the queue waits for MQTT clients, which may never come back. */
export function isSessionQueue(queue: string): boolean {
  return CLIENT_PREFIXES.some(prefix => queue.startsWith(prefix));
}
