import type { Cancel, Clock } from '../core/clock.ts';
import { storedJson } from '../core/files/stored-json.ts';
import type { Log } from '../core/log.ts';
import type { Store } from '../queue/types.ts';
import { CLOCK_CHECK_MS, CLOCK_JUMP_MS, MAX_DOWNTIME_MS, MAX_RTC_DOWNTIME_MS } from './limits.ts';

/** Clocks of the machine, beside the process's monotonic clock. */
export type MachineTime = {
  /** Identifier of the current boot. */
  readonly boot: string;
  /** Milliseconds since the boot, including suspended time. */
  readonly uptime: number;
  /** Milliseconds since 1970. */
  readonly wall: number;
  /** Milliseconds since 1970 by the hardware clock (RTC). Undefined if there is none. */
  readonly hardware: number | undefined;
  /**
   * Time in milliseconds since 1970 when NTP last set the wall clock. Undefined if it has not since the boot.
   */
  readonly synchronised: number | undefined;
};

type Trust = 'network' | 'hardware' | 'none';

/**
 * Offsets of the machine's clocks from hub time. Stored while a hub runs, so that the next run can compute
 * when this run ended.
 */
type Relation = {
  readonly boot: string;
  /** Milliseconds from hub time to uptime and to wall time. */
  readonly uptimeOffset: number;
  readonly wallOffset: number;
  readonly trust: Trust;
};

const RELATION = 'clock';

/**
 * Adds the hub's downtime to hub time if it is known: within one boot by the uptime, across a boot by a wall
 * clock that is trusted before and after. A clock that jumps is not trusted until NTP has set it again. An
 * implausible downtime is not counted. Calls `advanced` when hub time has advanced.
 */
export function followMachineTime(
  store: Pick<Store, 'get' | 'put' | 'now' | 'advance'>,
  read: () => MachineTime,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  advanced: () => void,
): Cancel {
  const last = relationFrom(store.get(RELATION));
  /** Undefined after the downtime has been counted, or if it can never be known. */
  let open = last && { last, end: store.now() };
  let kept: Relation | undefined;
  let jumpedAt: number | undefined;

  const trustIn = (time: MachineTime): Trust => {
    const { wall, hardware, synchronised } = time;
    const since = jumpedAt === undefined ? 0 : jumpedAt - 2 * CLOCK_CHECK_MS;
    if (synchronised !== undefined && synchronised >= since && synchronised <= wall + CLOCK_CHECK_MS)
      return 'network';
    if (jumpedAt !== undefined || hardware === undefined) return 'none';
    return Math.abs(hardware - wall) < CLOCK_JUMP_MS ? 'hardware' : 'none';
  };

  const keep = (relation: Relation): void => {
    kept = relation;
    const bytes = Buffer.from(JSON.stringify(relation));
    store.put(RELATION, bytes, error => error && log.warn(`The time is not kept: ${error.message}`));
  };

  const look = (): void => {
    const time = read();
    // Relative to the uptime, which includes suspended time.
    const sinceBoot = time.wall - time.uptime;
    if (kept !== undefined && Math.abs(sinceBoot - (kept.wallOffset - kept.uptimeOffset)) > CLOCK_JUMP_MS)
      jumpedAt = time.wall;
    const trust = trustIn(time);
    if (trust === 'network') jumpedAt = undefined;
    if (open !== undefined) {
      const { last: before, end } = open;
      const sinceStart = store.now() - end;
      const downtime = downtimeBetween(before, end, { ...time, trust });
      if (downtime !== undefined) {
        open = undefined;
        const missing = Math.max(0, downtime - sinceStart);
        store.advance(missing);
        if (missing > 0) advanced();
      }
    }
    const relation: Relation = {
      boot: time.boot,
      uptimeOffset: time.uptime - store.now(),
      wallOffset: time.wall - store.now(),
      trust,
    };
    const drift = kept === undefined ? CLOCK_JUMP_MS : Math.abs(relation.wallOffset - kept.wallOffset);
    if (drift >= CLOCK_JUMP_MS || kept?.trust !== trust) keep(relation);
  };

  look();
  let cancel: Cancel;
  const again = (): void => {
    look();
    cancel = clock.after(CLOCK_CHECK_MS, again);
  };
  cancel = clock.after(CLOCK_CHECK_MS, again);
  return () => cancel();
}

/** Milliseconds between the end of the last run, at hub time `end`, and now. Undefined if not known yet. */
export function downtimeBetween(
  { boot, uptimeOffset, wallOffset, trust: before }: Relation,
  end: number,
  now: MachineTime & { readonly trust: Trust },
): number | undefined {
  const sameBoot = now.uptime - (end + uptimeOffset);
  if (boot === now.boot && sameBoot >= 0) return sameBoot;
  if (before === 'none' || now.trust === 'none') return undefined;
  const downtime = now.wall - (end + wallOffset);
  const longest = before === 'network' && now.trust === 'network' ? MAX_DOWNTIME_MS : MAX_RTC_DOWNTIME_MS;
  return downtime >= 0 && downtime <= longest ? downtime : 0;
}

function relationFrom(bytes: Buffer | undefined): Relation | undefined {
  const value = storedJson(bytes);
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('boot' in value && 'uptimeOffset' in value && 'wallOffset' in value && 'trust' in value))
    return undefined;
  const { boot, uptimeOffset, wallOffset, trust } = value;
  if (typeof boot !== 'string' || typeof uptimeOffset !== 'number' || typeof wallOffset !== 'number')
    return undefined;
  return {
    boot,
    uptimeOffset,
    wallOffset,
    trust: trust === 'network' || trust === 'hardware' ? trust : 'none',
  };
}
