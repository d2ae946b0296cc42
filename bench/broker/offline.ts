import { framesOf, openClient, PUBACK_BYTES, receiver } from './client.ts';

/*
 * offline.ts <port> <messages> <window> [drain]
 *
 * Publishes messages at QoS 1 for a persistent session that is away, and says how many a second were
 * acknowledged; with `drain` then how many a second the session gets when it is back.
 */
const [port = 0, messages = 1, window = 1] = process.argv.slice(2).map(Number);
const drains = process.argv[5] === 'drain';
const frames = framesOf(1);
const keeper = { port, id: 'keeper', clean: false } as const;

async function subscribe(): Promise<void> {
  const client = await openClient({ ...keeper, subscribe: 1, heard: () => {} });
  await client.leave();
}

/** Resolves when all are acknowledged. */
function publish(): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let bytesBack = 0;
    const opening = openClient({
      port,
      id: 'publisher',
      clean: true,
      subscribe: undefined,
      heard: bytes => {
        bytesBack += bytes.length;
        fill();
        if (bytesBack === messages * PUBACK_BYTES) resolve();
      },
    });
    let send = (_: Buffer): void => {};
    const fill = (): void => {
      let allowed = Math.min(window - (sent - Math.floor(bytesBack / PUBACK_BYTES)), messages - sent);
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

/** Resolves when the session has got all. */
function drain(): Promise<void> {
  return new Promise((resolve, reject) => {
    let came = 0;
    const waiting: Buffer[] = [];
    let send = (bytes: Buffer): void => void waiting.push(bytes);
    const heard = receiver(frames, (count, answers) => {
      send(answers);
      came += count;
      if (came >= messages) resolve();
    });
    openClient({ ...keeper, subscribe: undefined, heard }).then(client => {
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
