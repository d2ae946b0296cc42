import { X509Certificate } from 'node:crypto';
import { CERTIFICATE_WARNING_MS, MAX_CERTIFICATES, MIN_PLAUSIBLE_TIME_MS } from '../limits.ts';

/** Period in which all certificates of a file are valid, in milliseconds of wall time. */
export type Validity = { readonly from: number; readonly to: number };

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Returns the validity of the first MAX_CERTIFICATES certificates of a PEM file. Undefined if the file
 * contains no certificate.
 */
export function validityOf(pem: Buffer): Validity | undefined {
  const blocks = pem.toString('latin1').match(BLOCK)?.slice(0, MAX_CERTIFICATES) ?? [];
  const periods = blocks.flatMap(block => periodOf(block) ?? []);
  if (periods.length === 0) return undefined;
  return { from: Math.max(...periods.map(({ from }) => from)), to: Math.min(...periods.map(({ to }) => to)) };
}

function periodOf(block: string): Validity | undefined {
  try {
    const { validFrom, validTo } = new X509Certificate(block);
    return { from: Date.parse(validFrom), to: Date.parse(validTo) };
  } catch {
    // TLS uses the first certificate of the file, so a later certificate that cannot be parsed is ignored.
    return undefined;
  }
}

/**
 * Returns the problem of a validity period as a clause. Undefined if the period is valid or the clock is not
 * set.
 */
export function validityProblem({ from, to }: Validity, wall: number): string | undefined {
  if (wall < MIN_PLAUSIBLE_TIME_MS) return undefined;
  if (wall > to) return `has expired on ${dayOf(to)}: replace it`;
  if (wall < from) return `is not valid before ${dayOf(from)}`;
  return to - wall < CERTIFICATE_WARNING_MS
    ? `expires on ${dayOf(to)}: replace it before that day`
    : undefined;
}

/** Returns the date in UTC in ISO 8601 format. */
export function dayOf(wall: number): string {
  return new Date(wall).toISOString().slice(0, 10);
}
