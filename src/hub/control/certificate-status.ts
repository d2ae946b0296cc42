import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { reasonOf, systemCode } from '../../core/errors.ts';
import { MAX_TLS_FILE_BYTES } from '../../core/limits.ts';
import { dayOf, validityOf, validityProblem } from '../../core/tls/certificate-validity.ts';
import { pathOf } from '../../manifest/checks/field-path.ts';
import type { Placed } from '../../manifest/diff/plan.ts';
import { upstreamPath } from '../../manifest/upstreams.ts';

/** Status of a certificate file of the current manifest. */
export type CertificateStatus = {
  /** Field of the manifest, such as `listeners[0].cert`. */
  readonly field: string;
  readonly file: string;
  /** Last day of validity, such as `2026-11-01`. Undefined if no certificate can be read from the file. */
  readonly validUntil: string | undefined;
  /**
   * Problem of the file, such as `has expired on 2026-11-01: replace it`. Undefined if there is no problem.
   */
  readonly problem: string | undefined;
};

/** Reads the certificate files of the current manifest. Returns the status of each file. */
export function certificateStatuses(
  { manifest, home }: Placed,
  clock: Pick<Clock, 'wall'>,
): CertificateStatus[] {
  const { listeners, upstreams } = manifest;
  const files: [field: string, file: string | undefined][] = [
    ...listeners.flatMap((entry, index): [string, string | undefined][] =>
      'tls' in entry
        ? [
            [`listeners[${index}].cert`, entry.tls.cert],
            [`listeners[${index}].ca`, entry.tls.ca],
          ]
        : [],
    ),
    ...upstreams.flatMap(({ name, tls }): [string, string | undefined][] => {
      const path = [...upstreamPath(manifest, name), 'tls'];
      return [
        [pathOf([...path, 'cert']), tls?.cert],
        [pathOf([...path, 'ca']), tls?.ca],
      ];
    }),
  ];
  return files.flatMap(([field, file]) =>
    file === undefined ? [] : [statusOf(field, resolve(home, file), clock)],
  );
}

function statusOf(field: string, file: string, clock: Pick<Clock, 'wall'>): CertificateStatus {
  const lacking = (problem: string): CertificateStatus => ({ field, file, validUntil: undefined, problem });
  try {
    const stats = statSync(file);
    if (!stats.isFile() || stats.size > MAX_TLS_FILE_BYTES) return lacking('is not a file of certificates');
    const validity = validityOf(readFileSync(file));
    if (validity === undefined) return lacking('holds no certificate in PEM');
    const problem = validityProblem(validity, clock.wall());
    return { field, file, validUntil: dayOf(validity.to), problem };
  } catch (thrown) {
    return lacking(`cannot be read (${systemCode(thrown) ?? reasonOf(thrown)})`);
  }
}
