import type { UpstreamStatus } from '../../hub/upstreams.ts';
import { upstreamLabel } from '../../manifest/upstreams.ts';
import { time } from './table.ts';

/** Returns the lines about an upstream that `skerry ps` prints. */
export function upstreamLines(upstream: UpstreamStatus): string[] {
  const {
    name,
    address,
    state,
    acknowledges,
    pause,
    delivered,
    ratePerSecond,
    backlog,
    oldestMs,
    lastError,
    refused,
    lastRefusal,
  } = upstream;
  const why = pause === undefined ? '' : `, ${pause}`;
  const error = lastError === undefined || (state === 'connected' && acknowledges) ? '' : ` (${lastError})`;
  const speed = ratePerSecond < 0.1 ? '' : `, ${ratePerSecond.toFixed(1)} a second`;
  const waiting =
    backlog === 0 ? '' : `, ${backlog} wait${oldestMs === undefined ? '' : `, the oldest ${time(oldestMs)}`}`;
  const title = `${upstreamLabel(name)} ${address}`;
  const lines = [`${title}: ${state}${why}, ${delivered} delivered${speed}${waiting}${error}`];
  if (refused > 0) lines.push(`${title}: ${refused} refused, the last: ${lastRefusal ?? ''}`);
  return lines;
}
