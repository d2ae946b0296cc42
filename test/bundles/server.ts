import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';

const certificates = join(import.meta.dirname, '..', 'certificates');

/** This machine's authorities, as OpenSSL reads them when they are first asked for: those of the tests. */
process.env['SSL_CERT_FILE'] = join(certificates, 'ca.pem');

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** An https server of this machine, whose certificate is for `localhost` and 127.0.0.1. */
export type TestServer = {
  readonly url: string;
  /** Requested paths, with the range if there was one. */
  readonly asked: string[];
  readonly close: () => Promise<void>;
};

/** `answer` is asked for each request, by its number from 0 on. */
export async function createTestServer(
  answer: (n: number) => Answer,
  certificate: 'server' | 'stranger' = 'server',
): Promise<TestServer> {
  const asked: string[] = [];
  const file = (ending: string): Buffer => readFileSync(join(certificates, `${certificate}.${ending}`));
  const server = createServer({ cert: file('pem'), key: file('key') }, (request, response) => {
    const { url = '', headers } = request;
    asked.push(headers.range === undefined ? url : `${url} ${headers.range}`);
    answer(asked.length - 1)(request, response);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `https://localhost:${port}`,
    asked,
    close: () => {
      server.closeAllConnections();
      return new Promise(resolve => server.close(() => resolve()));
    },
  };
}

/** Gives `body`, or from where it is asked, as servers of files do. */
export function gives(body: Buffer): Answer {
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

/** Gives a beginning of what it promises, and hangs up. */
export function cuts(body: Buffer, after: number): Answer {
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

/** Takes the request, and then says nothing; after `begin`, if there is one. */
export function hangs(begin?: Buffer): Answer {
  return (_, response) => {
    if (begin === undefined) return;
    response.writeHead(200, { 'content-length': begin.length + 1 });
    response.write(begin);
  };
}
