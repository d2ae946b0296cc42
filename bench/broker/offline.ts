import { framesOf, openClient, PUBACK_BYTES, receiver } from './client.ts';

/*
 * offline.ts <port> <messages> <window> [drain]
 *
 * Publishes messages at QoS 1 for an offline persistent session. Prints how many a second were acknowledged,
 * and with `drain` how many a second the session receives after it reconnects.
 */
const [port = 0, messages = 1, window = 1] = process.argv.slice(2).map(Number);
const drains = process.argv[5] === 'drain';
const frames = framesOf(1);
const session = { port, id: 'session', clean: false } as const;

async function subscribe(): Promise<void> {
  const client = await openClient({ ...session, subscribe: 1, heard: () => {} });
  await client.leave();
}

/** Publishes all messages. Resolves when all are acknowledged. */
function publish(): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let acknowledgedBytes = 0;
    const opening = openClient({
      port,
      id: 'publisher',
      clean: true,
      subscribe: undefined,
      heard: bytes => {
        acknowledgedBytes += bytes.length;
        fill();
        if (acknowledgedBytes === messages * PUBACK_BYTES) resolve();
      },
    });
    let send = (_: Buffer): void => {};
    const fill = (): void => {
      let allowed = Math.min(window - (sent - Math.floor(acknowledgedBytes / PUBACK_BYTES)), messages - sent);
      if (allowed < window / 4 && sent + allowed < messages) return;
      while (allowed > 0) {
        const { bytes, count } = frames.from(sent, allowed);
        send(bytes);
        sent += count;
        allowed -= count;
      }
    };
    opening.then(client => {
      send = client.send;
      fill();
    }, reject);
  });
}

/** Reconnects the session. Resolves when it has received all messages. */
function drain(): Promise<void> {
  return new Promise((resolve, reject) => {
    let received = 0;
    const waiting: Buffer[] = [];
    let send = (bytes: Buffer): void => void waiting.push(bytes);
    const heard = receiver(frames, (count, answers) => {
      send(answers);
      received += count;
      if (received >= messages) resolve();
    });
    openClient({ ...session, subscribe: undefined, heard }).then(client => {
      send = client.send;
      for (const bytes of waiting) send(bytes);
    }, reject);
  });
}

async function speedOf(name: string, action: () => Promise<void>): Promise<void> {
  const started = performance.now();
  await action();
  process.stdout.write(`${name} ${(messages / (performance.now() - started)) * 1000}\n`);
}

await subscribe();
await speedOf('publish', publish);
if (drains) await speedOf('drain', drain);
process.exit(0);
