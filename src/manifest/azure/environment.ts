import { isJsonObject, type JsonObject } from '../json/json-object.ts';
import { ownOf } from './document.ts';
import { LongNumber } from './long-numbers.ts';
import { isVariable } from './names.ts';
import type { AddRemark } from './remark.ts';

/**
 * Returns the variables of an object such as `{ "NAME": { "value": "x" } }` or `{ "NAME": "x" }`. Remarks
 * contain no values, because values can be secrets.
 */
export function environmentOf(env: JsonObject, path: string, remark: AddRemark): Record<string, string> {
  const variables: [string, string][] = [];
  for (const [name, entry] of Object.entries(env)) {
    const wraps = isJsonObject(entry) && !(entry instanceof LongNumber);
    const value = textOf(wraps ? ownOf(entry, 'value') : entry);
    const problem = problemOf(name, value);
    if (problem !== undefined) remark(`${path}.${name}`, problem);
    else if (value !== undefined) variables.push([name, value]);
  }
  return Object.fromEntries(variables);
}

/** Returns the variables of a list in Docker's format, such as `["NAME=x"]`. */
export function listedEnvironmentOf(list: unknown, path: string, remark: AddRemark): Record<string, string> {
  if (!Array.isArray(list)) {
    remark(path, 'is left out: it must be a list of "NAME=value"');
    return {};
  }
  const variables: [string, string][] = [];
  for (const [index, entry] of list.entries()) {
    const [, name, value] = /^([^=]*)=(.*)$/s.exec(typeof entry === 'string' ? entry : '') ?? [];
    const problem = name === undefined ? 'is left out: it must be "NAME=value"' : problemOf(name, value);
    if (problem !== undefined) remark(`${path}[${index}]`, problem);
    else if (name !== undefined && value !== undefined) variables.push([name, value]);
  }
  return Object.fromEntries(variables);
}

function problemOf(name: string, value: string | undefined): string | undefined {
  if (!isVariable(name)) {
    return 'is left out: a variable name may contain only letters, digits and "_": rename the variable here and in the program';
  }
  if (name.startsWith('SKERRY_'))
    return 'is left out: names that begin with "SKERRY_" are reserved for the hub: rename the variable here and in the program';
  if (value === undefined) return 'is left out: its value must be a string';
  return value.includes('\0') ? 'is left out: its value must not contain a NUL character' : undefined;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (value instanceof LongNumber) return value.text;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
