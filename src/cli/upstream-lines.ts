import type { HubStatus } from '../hub/status.ts';
import { time } from './table.ts';

type Upstream = Exclude<HubStatus['upstream'], undefined>;

/** What `ps` says of the upstream. */
export function upstreamLines(upstream: Upstream): string[] {
  const {
    address,
    state,
    acknowledges,
    pause,
    delivered,
    rate,
    backlog,
    oldest,
    lastError,
    refused,
    lastRefusal,
  } = upstream;
  const why = pause === undefined ? '' : `, ${pause}`;
  const error = lastError === undefined || (state === 'connected' && acknowledges) ? '' : ` (${lastError})`;
  const speed = rate < 0.1 ? '' : `, ${rate.toFixed(1)} a second`;
  const waiting =
    backlog === 0 ? '' : `, ${backlog} wait${oldest === undefined ? '' : `, the oldest ${time(oldest)}`}`;
  const lines = [`upstream ${address}: ${state}${why}, ${delivered} delivered${speed}${waiting}${error}`];
  if (refused > 0) lines.push(`upstream ${address}: ${refused} not taken, the last: ${lastRefusal ?? ''}`);
  return lines;
}
