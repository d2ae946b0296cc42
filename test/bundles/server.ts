import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';

const certificates = join(import.meta.dirname, '..', 'certificates');

/** Authorities of the tests instead of those of this machine. OpenSSL reads the variable at its first use. */
process.env['SSL_CERT_FILE'] = join(certificates, 'ca.pem');

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** HTTPS server on this machine with a certificate for `localhost` and 127.0.0.1. */
export type TestServer = {
  readonly url: string;
  /** Requested paths, each followed by the requested range. */
  readonly requested: string[];
  readonly close: () => Promise<void>;
};

/** Starts a server. `answer` returns the answer to a request by its number, from 0. */
export async function createTestServer(
  answer: (n: number) => Answer,
  certificate: 'server' | 'stranger' = 'server',
): Promise<TestServer> {
  const requested: string[] = [];
  const file = (ending: string): Buffer => readFileSync(join(certificates, `${certificate}.${ending}`));
  const server = createServer({ cert: file('pem'), key: file('key') }, (request, response) => {
    const { url = '', headers } = request;
    requested.push(headers.range === undefined ? url : `${url} ${headers.range}`);
    answer(requested.length - 1)(request, response);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `https://localhost:${port}`,
    requested,
    close: () => {
      server.closeAllConnections();
      return new Promise(resolve => server.close(() => resolve()));
    },
  };
}

/** Sends `body` or its requested range, like a file server. */
export function sendsFile(body: Buffer): Answer {
  return ({ headers }, response) => {
    const from = /^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1];
    if (from === undefined) {
      response.writeHead(200, { 'content-length': body.length }).end(body);
      return;
    }
    if (Number(from) >= body.length) {
      response.writeHead(416, { 'content-range': `bytes */${body.length}` }).end();
      return;
    }
    const rest = body.subarray(Number(from));
    const range = `bytes ${from}-${body.length - 1}/${body.length}`;
    response.writeHead(206, { 'content-length': rest.length, 'content-range': range }).end(rest);
  };
}

/** Sends `after` bytes of the announced body and closes the connection. */
export function closesAfter(body: Buffer, after: number): Answer {
  return (request, response) => {
    const { range } = request.headers;
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const rest = body.subarray(from);
    const headers = {
      'content-length': rest.length,
      'content-range': `bytes ${from}-${body.length - 1}/${body.length}`,
    };
    response.writeHead(range === undefined ? 200 : 206, headers);
    response.write(rest.subarray(0, after), () => response.destroy());
  };
}

export function status(code: number, headers: Record<string, string> = {}): Answer {
  return (_, response) => {
    response.writeHead(code, headers).end();
  };
}

/** Accepts the request and sends nothing, or only `begin`. */
export function sendsNothing(begin?: Buffer): Answer {
  return (_, response) => {
    if (begin === undefined) return;
    response.writeHead(200, { 'content-length': begin.length + 1 });
    response.write(begin);
  };
}
