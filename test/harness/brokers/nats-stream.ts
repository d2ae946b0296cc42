import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** Milliseconds without a message, after which a stream is read completely. */
const QUIET_MS = 3_000;

/** Maximum attempts of a request. */
const MAX_ATTEMPTS = 20;

/** Timeout in milliseconds of an answer. */
const ANSWER_TIMEOUT_MS = 2_000;

/** Subject that no other client is subscribed to. */
const INBOX = '_INBOX.reader';

type OnMessage = (subject: string, reply: string, body: Buffer) => void;

/** Opens a connection with the NATS protocol, as far as reading a stream requires it. */
function openNats(port: number, onMessage: OnMessage) {
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
      onMessage(words[1] ?? '', after.reply, rest.subarray(after.start, after.end));
      at = after.end + 2;
    }
    rest = rest.subarray(at);
  });
  // A request to a server that does not run has no answer.
  socket.on('error', () => {});
  socket.write('CONNECT {"verbose":false,"headers":true}\r\n');
  return {
    subscribe: (subject: string, id: number): void => void socket.write(`SUB ${subject} ${id}\r\n`),
    publish: (subject: string, reply: string, text: string): void =>
      void socket.write(`PUB ${subject} ${reply} ${Buffer.byteLength(text)}\r\n${text}\r\n`),
    close: () => socket.destroy(),
  };
}

/** Returns the bounds of the body of a message whose first line is `words`. Undefined without a body. */
function bodyOf(words: readonly string[], from: number) {
  const size = Number(words.at(-1));
  if (words[0] === 'MSG') {
    return { start: from, end: from + size, reply: words.length === 5 ? (words[3] ?? '') : '' };
  }
  if (words[0] !== 'HMSG') return undefined;
  const head = Number(words.at(-2));
  return { start: from + head, end: from + size, reply: words.length === 6 ? (words[3] ?? '') : '' };
}

/** Resolves to the bodies of all messages in a JetStream stream, in order. */
export async function readStream(port: number, stream: string): Promise<string[]> {
  const bodies: string[] = [];
  let last = performance.now();
  const nats = openNats(port, (_, reply, body) => {
    last = performance.now();
    if (reply.startsWith('$JS.ACK.')) bodies.push(body.toString());
    else if (reply !== '') nats.publish(reply, '', '');
  });
  nats.subscribe(`${INBOX}.messages`, 1);
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
  try {
    await ask(port, `CONSUMER.CREATE.${stream}`, { stream_name: stream, config });
    while (performance.now() - last < QUIET_MS) await pause(50);
    return bodies;
  } finally {
    nats.close();
  }
}

/** Sends a request to the JetStream API, again while the cluster has no leader. */
export async function ask(port: number, subject: string, question: object): Promise<void> {
  let answer: string | undefined;
  const nats = openNats(port, (_, __, body) => {
    answer = body.toString();
  });
  nats.subscribe(`${INBOX}.answer`, 1);
  try {
    for (let tries = 0; tries < MAX_ATTEMPTS && problemIn(answer) !== undefined; tries++) {
      answer = undefined;
      nats.publish(`$JS.API.${subject}`, `${INBOX}.answer`, JSON.stringify(question));
      const end = performance.now() + ANSWER_TIMEOUT_MS;
      while (answer === undefined && performance.now() < end) await pause(20);
    }
  } finally {
    nats.close();
  }
  const problem = problemIn(answer);
  if (problem !== undefined) throw new Error(`NATS refuses ${subject}: ${problem}.`);
}

function problemIn(answer: string | undefined): string | undefined {
  if (answer === undefined || answer === '') return 'it does not answer';
  const { error }: { readonly error?: { readonly description: string } } = JSON.parse(answer);
  return error?.description;
}
