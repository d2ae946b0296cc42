import type { Clock } from '../clock.ts';
import type { Level, LogFields, LogSink } from '../log.ts';
import {
  LOG_BURST,
  LOG_KIND_BURST,
  LOG_KIND_RATE,
  LOG_RATE,
  LOG_REPORT_MS,
  MAX_LOG_KINDS,
  MAX_LOG_SENTENCE,
} from './limits.ts';

/** Log sink with a rate limit. */
export type LimitedLog = {
  readonly sink: LogSink;
  /** Logs the number of lines that were suppressed since the last report. */
  readonly report: () => void;
};

/** Token bucket. `at` is the time in milliseconds when tokens were added last. */
type Bucket = { tokens: number; at: number };

type Kind = { readonly bucket: Bucket; suppressed: number; last: Parameters<LogSink> | undefined };

/**
 * Matches the parts of a sentence that are removed to get the kind of a line: numbers, and everything from
 * the first quote to the last, because text of a peer can contain quotes. Module names (group 1) stay in the
 * kind. The manifest bounds their number.
 */
const VARIABLE = /([Mm]odule "[\w-]{1,64}")|".*"|\d+/gs;

/**
 * Limits the lines per second of each kind, and of all kinds together, and logs the number of suppressed
 * lines. The kind of a line is its sentence without quotations and numbers, so that a peer cannot create new
 * kinds.
 */
export function limitLog(sink: LogSink, clock: Pick<Clock, 'monotonic' | 'after'>): LimitedLog {
  const kinds = new Map<string, Kind>();
  const all: Bucket = { tokens: LOG_BURST, at: clock.monotonic() };
  let isReportDue = false;

  const kindOf = (level: Level, room: string, sentence: string): Kind => {
    const key = `${level} ${room} ${sentence.slice(0, MAX_LOG_SENTENCE).replace(VARIABLE, '$1')}`;
    const known = kinds.get(key);
    if (known !== undefined) return known;
    const bucket = { tokens: LOG_KIND_BURST, at: clock.monotonic() };
    const kind: Kind = { bucket, suppressed: 0, last: undefined };
    kinds.set(key, kind);
    for (const [oldest, { suppressed }] of kinds) {
      if (kinds.size <= MAX_LOG_KINDS) break;
      if (suppressed === 0 || kinds.size > 2 * MAX_LOG_KINDS) kinds.delete(oldest);
    }
    return kind;
  };

  const report = (): void => {
    isReportDue = false;
    for (const kind of kinds.values()) {
      const { suppressed, last } = kind;
      if (last === undefined) continue;
      kind.suppressed = 0;
      kind.last = undefined;
      const [level, room, sentence, fields] = last;
      const lines = suppressed === 1 ? '1 more line' : `${suppressed} more lines`;
      sink(level, room, `Suppressed ${lines} of this kind, the last: ${sentence}`, fields);
    }
  };

  return {
    report,
    sink: (level, room, sentence, fields: LogFields) => {
      const kind = kindOf(level, room, sentence);
      const now = clock.monotonic();
      if (
        takeToken(kind.bucket, LOG_KIND_RATE, LOG_KIND_BURST, now) &&
        takeToken(all, LOG_RATE, LOG_BURST, now)
      ) {
        sink(level, room, sentence, fields);
        return;
      }
      kind.suppressed++;
      kind.last = [level, room, sentence.slice(0, MAX_LOG_SENTENCE), fields];
      if (isReportDue) return;
      isReportDue = true;
      clock.after(LOG_REPORT_MS, report);
    },
  };
}

/**
 * Removes a token from a bucket. Returns false if the bucket is empty. `rate` tokens are added each second.
 */
function takeToken(bucket: Bucket, rate: number, maxTokens: number, now: number): boolean {
  bucket.tokens = Math.min(maxTokens, bucket.tokens + ((now - bucket.at) * rate) / 1000);
  bucket.at = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens--;
  return true;
}
