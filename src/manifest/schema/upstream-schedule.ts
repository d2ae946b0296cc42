import * as v from 'valibot';
import type { TimeOfDay } from '../types.ts';

const TIMES = /^([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])$/;

const PROBLEM = 'must be from and to, such as "02:00-04:30"';

/** Schema of a time range such as "02:00-04:30". */
export const timeOfDay = v.pipe(
  v.string(PROBLEM),
  v.regex(TIMES, PROBLEM),
  v.transform((text): TimeOfDay => {
    const [, fromHour, fromMinute, toHour, toMinute] = TIMES.exec(text) ?? [];
    return {
      from: Number(fromHour) * 60 + Number(fromMinute),
      to: Number(toHour) * 60 + Number(toMinute),
    };
  }),
);

/** Formats a time range such as `02:00-04:30`. */
export function timeOfDayText({ from, to }: TimeOfDay): string {
  return `${clock(from)}-${clock(to)}`;
}

function clock(minutes: number): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
