import type { BenchMessage } from './messages.ts';

/** Result of a condition: true, false or undefined. */
type Answer = boolean | undefined;

/** Condition in the languages of all measured engines. */
export type Case = {
  readonly routes: readonly string[];
  /**
   * Hand-written functions, one for each route. `body` parses the body of the message; each message is parsed
   * at most once.
   */
  readonly hand: readonly ((message: BenchMessage, body: () => Record<string, unknown>) => Answer)[];
  readonly body: 'none' | 'small' | 'large';
  /** Expression for jsonata. Only cases with one route have expressions for other engines. */
  readonly jsonata?: string;
  readonly filtrex?: string;
  readonly jsonLogic?: unknown;
};

const HOT = "FROM /messages/* WHERE level = 'hot' INTO $upstream";

function propertyOf({ properties }: BenchMessage, name: string): string | undefined {
  for (let at = properties.length - 2; at >= 0; at -= 2) {
    if (properties[at] === name) return properties[at + 1];
  }
  return undefined;
}

function equals(text: string | undefined, wanted: string): Answer {
  return text === undefined ? undefined : text === wanted;
}

function differs(text: string | undefined, other: string): Answer {
  return text === undefined ? undefined : text !== other;
}

function exceeds(value: unknown, limit: number): Answer {
  return typeof value === 'number' ? value > limit : undefined;
}

function longByHand(message: BenchMessage): Answer {
  const level = propertyOf(message, 'level');
  if (level !== undefined && level !== 'hot') return false;
  const temp = propertyOf(message, 'temp');
  const celsius = temp === undefined || temp.trim() === '' ? Number.NaN : Number(temp);
  if (celsius <= 20) return false;
  const site = propertyOf(message, 'site');
  if (site?.startsWith('test')) return false;
  return level === undefined || Number.isNaN(celsius) || site === undefined ? undefined : true;
}

function deepByHand(_message: BenchMessage, body: () => Record<string, unknown>): Answer {
  const { sensors, site } = body();
  const celsius: unknown = Array.isArray(sensors) ? sensors[1]?.celsius : undefined;
  if (typeof celsius === 'number' && celsius <= 60) return false;
  if (site !== undefined && site !== 'north') return false;
  return typeof celsius === 'number' && site !== undefined ? true : undefined;
}

const propertySet = (size: number): Case => ({
  routes: range(size).map(at => `FROM /messages/* WHERE level != 'hot${at}' INTO topic("t${at}")`),
  hand: range(size).map(at => message => differs(propertyOf(message, 'level'), `hot${at}`)),
  body: 'none',
});

const bodySet = (size: number): Case => ({
  routes: range(size).map(at => `FROM /messages/* WHERE $body.celsius > ${at} INTO topic("t${at}")`),
  hand: range(size).map(at => (_message, body) => exceeds(body()['celsius'], at)),
  body: 'small',
});

export const CASES: Readonly<Record<string, Case>> = {
  'a property': {
    routes: [HOT],
    hand: [message => equals(propertyOf(message, 'level'), 'hot')],
    body: 'none',
    jsonata: "level = 'hot'",
    filtrex: 'level == "hot"',
    jsonLogic: { '==': [{ var: 'level' }, 'hot'] },
  },
  'three properties': {
    routes: [
      "FROM /messages/* WHERE level = 'hot' AND as_number(temp) > 20 AND NOT starts_with(site, 'test') INTO $upstream",
    ],
    hand: [longByHand],
    body: 'none',
    jsonata: "level = 'hot' and $number(temp) > 20 and $substring(site, 0, 4) != 'test'",
    filtrex: 'level == "hot" and num(temp) > 20 and not starts(site, "test")',
    jsonLogic: {
      and: [
        { '==': [{ var: 'level' }, 'hot'] },
        { '>': [{ var: 'temp' }, 20] },
        { '!=': [{ substr: [{ var: 'site' }, 0, 4] }, 'test'] },
      ],
    },
  },
  'a body value, 100 bytes': {
    routes: ['FROM /messages/* WHERE $body.celsius > 60 INTO $upstream'],
    hand: [(_message, body) => exceeds(body()['celsius'], 60)],
    body: 'small',
    jsonata: 'celsius > 60',
    filtrex: 'celsius > 60',
    jsonLogic: { '>': [{ var: 'celsius' }, 60] },
  },
  'two body values, 500 bytes': {
    routes: ["FROM /messages/* WHERE $body.sensors[1].celsius > 60 AND $body.site = 'north' INTO $upstream"],
    hand: [deepByHand],
    body: 'large',
    jsonata: "sensors[1].celsius > 60 and site = 'north'",
    filtrex: 'second(sensors) > 60 and site == "north"',
    jsonLogic: { and: [{ '>': [{ var: 'sensors.1.celsius' }, 60] }, { '==': [{ var: 'site' }, 'north'] }] },
  },
  '10 routes, properties': propertySet(10),
  '100 routes, properties': propertySet(100),
  '10 routes, body': bodySet(10),
  '100 routes, body': bodySet(100),
  '100 routes, one of this source': {
    routes: [
      HOT,
      ...range(99).map(at => `FROM /messages/modules/m${at}/* WHERE level = 'hot' INTO topic("t${at}")`),
    ],
    hand: [message => equals(propertyOf(message, 'level'), 'hot')],
    body: 'none',
  },
};

function range(size: number): readonly number[] {
  return Array.from({ length: size }, (_, at) => at);
}
