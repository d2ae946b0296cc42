import type { IncomingMessage } from 'node:http';
import type { Agent } from 'node:https';
import { Failure, reasonOf } from '../../core/errors.ts';
import { MAX_REDIRECTS } from '../limits.ts';

/** Context of all requests of one download. */
export type RequestContext = {
  readonly subject: string;
  readonly signal: AbortSignal;
  readonly agent: Agent;
};

/** HTTP statuses with a redirect. */
const REDIRECT_STATUSES = [301, 302, 303, 307, 308];

/**
 * HTTP statuses of client errors after which a retry can succeed: timeout, too early, too many requests. All
 * 5xx statuses are retried, too.
 */
const TRANSIENT_STATUSES = [408, 425, 429];

/** Returns a URL for logs. Omits user, password and query, because they can be secret. */
export function redactedUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

/** Creates an agent that trusts the certificate authorities of Node and of this machine. */
export async function createAgent(): Promise<Agent> {
  const [tls, https] = await Promise.all([import('node:tls'), import('node:https')]);
  const ca = [...tls.getCACertificates('bundled'), ...tls.getCACertificates('system')];
  return new https.Agent({ secureContext: tls.createSecureContext({ ca: Array.from(new Set(ca)) }) });
}

/**
 * Requests a URL from the byte `from` on and follows redirects. Resolves to a response with status 200, 206
 * or 416. Throws Failure `bundle.unreachable` if a retry cannot succeed, or another error if a retry can
 * succeed.
 */
export async function openDownload(
  url: URL,
  from: number,
  context: RequestContext,
): Promise<IncomingMessage> {
  let at = url;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await get(at, from, context);
    const status = response.statusCode ?? 0;
    if ([200, 206, 416].includes(status)) return response;
    response.destroy();
    if (!REDIRECT_STATUSES.includes(status)) throw statusError(at, status, context.subject);
    at = redirectTarget(at, response.headers.location, context.subject);
  }
  throw unreachable(context.subject, url, `more than ${MAX_REDIRECTS} redirects`);
}

export function unreachable(subject: string, url: URL, reason: string): Failure {
  return new Failure(
    'bundle.unreachable',
    `${subject} cannot be downloaded from ${redactedUrl(url)}: ${reason}.`,
  );
}

async function get(url: URL, from: number, { signal, agent }: RequestContext): Promise<IncomingMessage> {
  const { request } = await import('node:https');
  return new Promise((resolve, reject) => {
    const headers = { 'accept-encoding': 'identity', ...(from > 0 && { range: `bytes=${from}-` }) };
    const clientRequest = request(url, { signal, headers, agent });
    clientRequest
      .once('response', resolve)
      .once('error', error => reject(withoutAdvice(error)))
      .end();
  });
}

/** Removes Node's advice about its command line from an error message. */
function withoutAdvice(error: Error): Error {
  return error.message.includes('; ')
    ? new Error(error.message.replace(/; if the root CA is.*$/s, ''))
    : error;
}

function statusError(url: URL, status: number, subject: string): Error {
  const reason = `HTTP status ${status}`;
  const isTransient = status >= 500 || TRANSIENT_STATUSES.includes(status);
  return isTransient ? new Error(reason) : unreachable(subject, url, reason);
}

function redirectTarget(from: URL, location: string | undefined, subject: string): URL {
  let to: URL;
  try {
    to = new URL(location ?? '', from);
  } catch (thrown) {
    throw unreachable(subject, from, `invalid redirect: ${reasonOf(thrown)}`);
  }
  if (to.protocol === 'https:') return to;
  throw unreachable(subject, from, `it redirects to ${redactedUrl(to)}, which is not https`);
}
