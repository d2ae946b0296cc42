import type { Subject } from '../subject.ts';

/** Value of a variable that is not computed yet for the current message. */
const UNSET = Symbol('unset');

/**
 * Generator of the code of one function. Values from a manifest are passed to the function as data and never
 * become part of the code.
 */
export type Writer = {
  /** Returns the name of a variable with the value `value` in the generated code. */
  readonly data: (value: unknown) => string;
  /** Declares a new variable and returns its name. */
  readonly temporary: () => string;
  /** Generates code that evaluates `code` at most once per message and shares the value under `key`. */
  readonly once: (key: string, code: () => string) => string;
  /**
   * Creates the function from the code of its body. Variables are reset for each call. `m` is the parameter
   * with the message.
   */
  readonly finish: (body: string) => (subject: Subject, ...more: readonly unknown[]) => unknown;
};

export function createWriter(): Writer {
  const names = new Map<unknown, string>();
  const slots = new Map<string, { readonly name: string; readonly code: string }>();
  let temporaries = 0;

  const data = (value: unknown): string => {
    if (value === undefined || value === null || typeof value === 'boolean') return String(value);
    if (Object.is(value, -0)) return '-0';
    const known = names.get(value);
    if (known !== undefined) return known;
    const name = `d${names.size}`;
    names.set(typeof value === 'string' ? interned(value) : value, name);
    return name;
  };

  return {
    data,
    temporary: () => `t${temporaries++}`,
    once: (key, code) => {
      const slot = slots.get(key) ?? { name: `s${slots.size}`, code: '' };
      const unset = data(UNSET);
      if (slot.code !== '')
        return `(${slot.name} === ${unset} ? (${slot.name} = ${slot.code}) : ${slot.name})`;
      slots.set(key, slot);
      const written = code();
      slots.set(key, { name: slot.name, code: written });
      return `(${slot.name} === ${unset} ? (${slot.name} = ${written}) : ${slot.name})`;
    },
    finish: body => {
      const variables = Array.from({ length: temporaries }, (_, at) => `t${at}`);
      for (const { name } of slots.values()) variables.push(`${name} = ${data(UNSET)}`);
      const declared = variables.length === 0 ? '' : `let ${variables.join(', ')};`;
      const make: unknown = new Function(
        'data',
        `'use strict'; const [${Array.from(names.values()).join(', ')}] = data;
         return (m, x) => { ${declared} ${body} };`,
      );
      const made: unknown = isFunction(make) ? make(Array.from(names.keys())) : undefined;
      if (!isFunction(made)) throw new TypeError('no function was made');
      return made;
    },
  };
}

/**
 * Returns an interned copy of a string. V8 compares interned strings by address, which is fast. A slice of a
 * route's text is not interned.
 */
function interned(text: string): string {
  return Object.keys({ [text]: 0 })[0] ?? text;
}

function isFunction(value: unknown): value is (...operands: readonly unknown[]) => unknown {
  return typeof value === 'function';
}
