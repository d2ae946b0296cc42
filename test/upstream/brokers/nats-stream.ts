import { connect } from 'node:net';

/** Milliseconds without a message until a stream is read to its end, or a question is given up. */
const QUIET = 3_000;

/** A name that nobody else listens to. */
const INBOX = '_INBOX.reader';

type Heard = (subject: string, reply: string, body: Buffer) => void;

/** A connection in NATS's own protocol: as much of it as reading a stream takes. */
function openNats(port: number, heard: Heard) {
  const socket = connect(port, '127.0.0.1');
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', chunk => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    for (let line = rest.indexOf('\r\n', at); line >= 0; line = rest.indexOf('\r\n', at)) {
      const words = rest.toString('utf8', at, line).split(' ');
      const after = bodyOf(words, line + 2);
      if (after === undefined) {
        if (words[0] === 'PING') socket.write('PONG\r\n');
        at = line + 2;
        continue;
      }
      if (rest.length < after.end + 2) break;
      heard(words[1] ?? '', after.reply, rest.subarray(after.start, after.end));
      at = after.end + 2;
    }
    rest = rest.subarray(at);
  });
  socket.write('CONNECT {"verbose":false,"headers":true}\r\n');
  return {
    subscribe: (subject: string, id: number): void => void socket.write(`SUB ${subject} ${id}\r\n`),
    publish: (subject: string, reply: string, text: string): void =>
      void socket.write(`PUB ${subject} ${reply} ${Buffer.byteLength(text)}\r\n${text}\r\n`),
    failed: new Promise<never>((_, fail) => socket.once('error', fail)),
    close: () => socket.destroy(),
  };
}

/** Where the body of a message lies whose first line is `words`; undefined: it has none. */
function bodyOf(words: readonly string[], from: number) {
  const size = Number(words.at(-1));
  if (words[0] === 'MSG') {
    return { start: from, end: from + size, reply: words.length === 5 ? (words[3] ?? '') : '' };
  }
  if (words[0] !== 'HMSG') return undefined;
  const head = Number(words.at(-2));
  return { start: from + head, end: from + size, reply: words.length === 6 ? (words[3] ?? '') : '' };
}

/** The bodies of all that a stream of JetStream keeps, in its order. */
export async function readStream(port: number, stream: string): Promise<string[]> {
  const bodies: string[] = [];
  let answer: string | undefined;
  let last = performance.now();
  const nats = openNats(port, (subject, reply, body) => {
    last = performance.now();
    if (subject === `${INBOX}.answer`) answer = body.toString();
    else if (reply.startsWith('$JS.ACK.')) bodies.push(body.toString());
    else if (reply !== '') nats.publish(reply, '', '');
  });
  const quiet = async (): Promise<void> => {
    while (performance.now() - last < QUIET) await new Promise(done => setTimeout(done, 50));
  };
  nats.subscribe(`${INBOX}.answer`, 1);
  nats.subscribe(`${INBOX}.messages`, 2);
  const config = {
    deliver_subject: `${INBOX}.messages`,
    deliver_policy: 'all',
    ack_policy: 'none',
    max_deliver: 1,
    idle_heartbeat: 5_000_000_000,
    flow_control: true,
    num_replicas: 1,
    mem_storage: true,
  };
  const question = JSON.stringify({ stream_name: stream, config });
  nats.publish(`$JS.API.CONSUMER.CREATE.${stream}`, `${INBOX}.answer`, question);
  try {
    await Promise.race([quiet(), nats.failed]);
    const problem = answer === undefined ? 'it does not answer' : errorIn(answer);
    if (problem !== undefined) throw new Error(`The stream ${stream} of NATS cannot be read: ${problem}.`);
    return bodies;
  } finally {
    nats.close();
  }
}

function errorIn(answer: string): string | undefined {
  const { error }: { readonly error?: { readonly description: string } } = JSON.parse(answer);
  return error?.description;
}
