import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Failure, reasonOf, systemCode } from '../../../core/errors.ts';
import { isTopicName } from '../../../mqtt/topics.ts';
import { argumentsOf, usageFailure } from '../../arguments.ts';
import { PUB } from '../../reference/clients.ts';
import { qosOf } from './open.ts';
import { openSender } from './sender.ts';

/**
 * Publishes a message, or each line of standard input. Ends when the broker has acknowledged all messages.
 */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = argumentsOf(PUB, args);
  const { topic, message, file, lines, null: empty, 'stdin-file': whole } = values;
  if (topic === undefined || !isTopicName(topic)) throw usageFailure('-t must name a topic', PUB);
  const sources = [message !== undefined, file !== undefined, lines === true, whole === true, empty === true];
  if (sources.filter(Boolean).length !== 1) throw usageFailure('Give one of -m, -f, -s, -l and -n', PUB);
  const content = file === undefined ? undefined : contentOf(file);
  const sender = await openSender(values, { topic, qos: qosOf(values.qos), retain: values.retain === true });
  // The readline interface is created after the connection is open, because readline drops the lines that
  // arrive before the iteration begins.
  if (lines)
    for await (const line of createInterface({ input: process.stdin })) await sender.send(Buffer.from(line));
  else await sender.send(content ?? (whole ? await standardInput() : Buffer.from(message ?? '')));
  await sender.finish();
  return 0;
}

function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (thrown) {
    const reason = systemCode(thrown) === 'ENOENT' ? 'no such file (ENOENT)' : reasonOf(thrown);
    throw new Failure('usage', `-f ${file} cannot be read: ${reason}.`);
  }
}

async function standardInput(): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of process.stdin) pieces.push(piece);
  return Buffer.concat(pieces);
}
