import { repeat } from '../core/async/repeat.ts';
import type { Cancel, Clock } from '../core/clock.ts';
import { storedJson } from '../core/files/stored-json.ts';
import type { Log } from '../core/log.ts';
import type { Store } from '../queue/types.ts';
import { CLOCK_CHECK_MS, CLOCK_JUMP_MS, MAX_DOWNTIME_MS, MAX_RTC_DOWNTIME_MS } from './limits.ts';

/** Readings of the machine's clocks. */
export type MachineTime = {
  /** Boot identifier of the kernel. */
  readonly boot: string;
  /** Milliseconds since the boot, including suspended time. */
  readonly uptime: number;
  /** Wall clock in milliseconds since 1970. */
  readonly wall: number;
  /** Hardware clock (RTC) in milliseconds since 1970. Undefined if the machine has no hardware clock. */
  readonly hardware: number | undefined;
  /**
   * Time in milliseconds since 1970 at which NTP last set the wall clock. Undefined if NTP has not set the
   * wall clock since the boot.
   */
  readonly synchronised: number | undefined;
};

/**
 * Source that confirms the wall clock: NTP (`network`), the hardware clock (`hardware`), or no source
 * (`none`).
 */
type Trust = 'network' | 'hardware' | 'none';

/**
 * Offsets of the machine's clocks from hub time (the hub's own clock for TTLs). The hub stores these offsets
 * while it runs. The next start of the hub uses the offsets to compute the time at which the hub stopped.
 */
type Relation = {
  readonly boot: string;
  /** Uptime minus hub time in milliseconds. */
  readonly uptimeOffset: number;
  /** Wall time minus hub time in milliseconds. */
  readonly wallOffset: number;
  readonly trust: Trust;
};

/** Store key of the last stored clock offsets. */
const RELATION = 'clock';

/**
 * Advances hub time (the hub's own clock for TTLs) by the downtime (the time for which the hub did not run).
 * If the machine has not rebooted, the downtime is computed from the uptime. After a reboot, the downtime is
 * computed from the wall clock, provided that the wall clock is trusted before and after the downtime. After
 * a jump, the wall clock is not trusted until NTP sets it. An implausible downtime counts as 0. Calls
 * `advanced` after hub time has advanced.
 */
export function followMachineTime(
  store: Pick<Store, 'get' | 'put' | 'now' | 'advance'>,
  read: () => MachineTime,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  advanced: () => void,
): Cancel {
  const last = relationFrom(store.get(RELATION));
  /**
   * Clock offsets and hub time at the last stop of the hub. Undefined if the hub has never run. Also
   * undefined after the downtime has been counted.
   */
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
    store.put(RELATION, bytes, error => error && log.warn(`Cannot store the current time: ${error.message}`));
  };

  const look = (): void => {
    const time = read();
    // If the wall clock changes relative to the uptime, the wall clock has jumped. The uptime also advances
    // while the machine is suspended, so a suspension is not a jump.
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
  return repeat(clock, CLOCK_CHECK_MS, look);
}

/**
 * Returns the milliseconds since the hub last stopped. `end` is the hub time at which the hub stopped.
 * Undefined if the wall clock is needed but not trusted.
 */
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
