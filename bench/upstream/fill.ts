import { framesOf, openClient, PUBACK_BYTES, TOPIC } from '../broker/client.ts';
import { isMark, MARK, STEP } from './marks.ts';

/*
 * fill.ts <port> <messages> <window>
 *
 * Publishes messages at QoS 1. Some of the messages are marks (marks.ts). Prints how many messages a second
 * were acknowledged.
 */
const [port = 0, messages = 1, window = 1] = process.argv.slice(2).map(Number);
const frames = framesOf(1);

/** Returns frames from number `sent` on: up to the next mark, or the mark alone. */
function framesFrom(sent: number, allowed: number): ReturnType<typeof frames.from> {
  if (!isMark(sent)) return frames.from(sent, Math.min(allowed, STEP - 1 - (sent % STEP)));
  const bytes = Buffer.from(frames.from(sent, 1).bytes);
  bytes.write(MARK, bytes.indexOf(TOPIC));
  return { bytes, count: 1 };
}

/** Publishes all messages. Resolves when all are acknowledged. */
function publish(): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let acknowledgedBytes = 0;
    let send = (_: Buffer): void => {};
    const fill = (): void => {
      let allowed = Math.min(window - (sent - Math.floor(acknowledgedBytes / PUBACK_BYTES)), messages - sent);
      // A few large writes cost less than many small ones.
      if (allowed < window / 4 && sent + allowed < messages) return;
      while (allowed > 0) {
        const { bytes, count } = framesFrom(sent, allowed);
        send(bytes);
        sent += count;
        allowed -= count;
      }
    };
    const onBytes = (bytes: Buffer): void => {
      acknowledgedBytes += bytes.length;
      fill();
      if (acknowledgedBytes === messages * PUBACK_BYTES) resolve();
    };
    openClient({ port, id: 'filler', clean: true, subscribe: undefined, heard: onBytes }).then(client => {
      send = client.send;
      fill();
    }, reject);
  });
}

const started = performance.now();
await publish();
process.stdout.write(`fill ${(messages / (performance.now() - started)) * 1000}\n`);
process.exit(0);
