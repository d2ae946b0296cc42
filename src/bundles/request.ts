import type { IncomingMessage } from 'node:http';
import type { Agent } from 'node:https';
import { Failure, reasonOf } from '../core/errors.ts';
import { MAX_REDIRECTS } from './limits.ts';

/** What a request needs that outlives it. */
export type Asking = {
  readonly subject: string;
  readonly signal: AbortSignal;
  readonly agent: Agent;
};

const REDIRECTS = [301, 302, 303, 307, 308];
/** Too late, too many, and what servers say in their trouble: it may be better later. */
const PASSING = [408, 425, 429];

/** An address as it may be shown: what may be secret of it, a password or a token, is not. */
export function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

/** Connections to servers for whom those vouch whom Node knows, or this machine does. */
export async function createAgent(): Promise<Agent> {
  const [tls, https] = await Promise.all([import('node:tls'), import('node:https')]);
  const ca = [...tls.getCACertificates('bundled'), ...tls.getCACertificates('system')];
  return new https.Agent({ secureContext: tls.createSecureContext({ ca: Array.from(new Set(ca)) }) });
}

/**
 * Asks for what is at an address, from the byte `from` on, and follows redirects. Resolves to an answer whose status is
 * 200, 206 or 416. Throws Failure `bundle.unreachable` if asking again is of no use, and else what went wrong.
 */
export async function ask(url: URL, from: number, asking: Asking): Promise<IncomingMessage> {
  let at = url;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await get(at, from, asking);
    const status = answer.statusCode ?? 0;
    if ([200, 206, 416].includes(status)) return answer;
    answer.destroy();
    if (!REDIRECTS.includes(status)) throw statusError(at, status, asking.subject);
    at = redirected(at, answer.headers.location, asking.subject);
  }
  throw unreachable(asking.subject, url, `it leads on more than ${MAX_REDIRECTS} times`);
}

export function unreachable(subject: string, url: URL, reason: string): Failure {
  return new Failure('bundle.unreachable', `${subject} cannot be had from ${shown(url)}: ${reason}.`);
}

async function get(url: URL, from: number, { signal, agent }: Asking): Promise<IncomingMessage> {
  const { request } = await import('node:https');
  return new Promise((resolve, reject) => {
    const headers = { 'accept-encoding': 'identity', ...(from > 0 && { range: `bytes=${from}-` }) };
    const asked = request(url, { signal, headers, agent });
    asked
      .once('response', resolve)
      .once('error', error => reject(withoutAdvice(error)))
      .end();
  });
}

/** Node's advice for its own command line is none for this one. */
function withoutAdvice(error: Error): Error {
  return error.message.includes('; ')
    ? new Error(error.message.replace(/; if the root CA is.*$/s, ''))
    : error;
}

function statusError(url: URL, status: number, subject: string): Error {
  const reason = `its server answers ${status}`;
  const passing = status >= 500 || PASSING.includes(status);
  return passing ? new Error(reason) : unreachable(subject, url, reason);
}

function redirected(from: URL, location: string | undefined, subject: string): URL {
  let to: URL;
  try {
    to = new URL(location ?? '', from);
  } catch (thrown) {
    throw unreachable(subject, from, `it leads to no address: ${reasonOf(thrown)}`);
  }
  if (to.protocol === 'https:') return to;
  throw unreachable(subject, from, `it leads to ${shown(to)}, which is not https`);
}
