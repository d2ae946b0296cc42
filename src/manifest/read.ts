import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import * as v from 'valibot';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';
import { MAX_MANIFEST_BYTES } from '../core/limits.ts';
import { DEFAULT_UPSTREAM } from '../core/message.ts';
import { findContradiction } from './checks/contradictions.ts';
import { pathOf } from './checks/field-path.ts';
import type { FieldProblem } from './checks/field-problem.ts';
import { problemOfIssue } from './checks/field-problem.ts';
import { findJsonError } from './json/check-json.ts';
import type { WrittenManifest } from './schema/schema.ts';
import { manifestSchema } from './schema/schema.ts';
import type { Manifest } from './types.ts';

/** Maximum bytes of one read from a manifest file. */
const CHUNK_BYTES = 1 << 16;

/** Texts of system errors by code. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file (ENOENT)',
  EISDIR: 'is a directory (EISDIR)',
};

/**
 * Reads and checks a manifest file.
 * @throws Failure `manifest.missing`, `manifest.syntax`, `manifest.field`
 */
export function readManifest(file: string): Manifest {
  return parseManifest(readManifestText(file), file);
}

/**
 * Reads the text of a manifest file.
 * @throws Failure `manifest.missing`, `manifest.syntax`
 */
export function readManifestText(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readBounded(file, MAX_MANIFEST_BYTES + 1);
  } catch (thrown) {
    const reason = REASONS[systemCode(thrown) ?? ''] ?? reasonOf(thrown);
    throw new Failure('manifest.missing', `The manifest ${file} cannot be read: ${reason}.`);
  }
  refuseLarge(bytes.length, file);
  if (!isUtf8(bytes)) {
    throw new Failure('manifest.syntax', `The manifest ${file} is not UTF-8: save the file as UTF-8.`);
  }
  return bytes.toString('utf8');
}

/**
 * Parses and checks the text of a manifest. `file` is the file name in error messages.
 * @throws Failure `manifest.syntax`, `manifest.field`
 */
export function parseManifest(text: string, file: string): Manifest {
  refuseLarge(Buffer.byteLength(text), file);
  const checked = checkManifest(parseJson(text, file));
  if ('problem' in checked) throw refusal(file, checked.path, checked.problem);
  return checked;
}

/** Checks a parsed manifest. Returns the manifest with all defaults, or the first problem. */
export function checkManifest(value: unknown): Manifest | FieldProblem {
  const result = v.safeParse(manifestSchema, value, { abortEarly: true });
  if (!result.success) return problemOfIssue(result.issues[0]);
  if (result.output.upstream !== undefined && result.output.upstreams !== undefined) return BOTH;
  const manifest = toManifest(result.output);
  return findContradiction(manifest) ?? manifest;
}

const BOTH: FieldProblem = {
  path: ['upstreams'],
  problem: 'cannot be combined with "upstream": move "upstream" into "upstreams"',
};

/**
 * Reads a file up to the end, or until `max` bytes are read. The file can be a pipe, whose size is unknown.
 */
function readBounded(file: string, max: number): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const chunks: Buffer[] = [];
    for (let length = 0; length < max; ) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const read = readSync(descriptor, chunk);
      if (read === 0) break;
      chunks.push(chunk.subarray(0, read));
      length += read;
    }
    return Buffer.concat(chunks);
  } finally {
    closeSync(descriptor);
  }
}

function refuseLarge(bytes: number, file: string): void {
  if (bytes <= MAX_MANIFEST_BYTES) return;
  throw new Failure('manifest.syntax', `The manifest ${file} exceeds the maximum size of 1 MB.`);
}

/**
 * Parses a JSON text. Does not check the fields of a manifest.
 * @throws Failure `manifest.syntax`, `manifest.field`
 */
export function parseJson(text: string, file: string): unknown {
  const jsonError = findJsonError(text);
  if (jsonError === undefined) return JSON.parse(text);
  if (jsonError.kind === 'name') throw refusal(file, jsonError.path, jsonError.problem);
  const before = text.slice(0, jsonError.offset).split('\n');
  const position = `at line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
  const error = jsonError.kind === 'syntax' ? 'is not JSON' : 'is nested too deeply';
  throw new Failure('manifest.syntax', `The manifest ${file} ${error} ${position}: ${jsonError.problem}.`);
}

function toManifest(written: WrittenManifest): Manifest {
  return {
    name: written.name,
    dialect: written.dialect,
    serial: written.serial,
    for: written.for,
    signature: written.signature,
    modules: Object.entries(written.modules).map(([name, { secrets, sandbox, ...module }]) => ({
      name,
      ...module,
      sandbox: sandbox.level,
      ...(sandbox.network === 'none' ? { network: sandbox.network } : {}),
      secrets: Object.entries(secrets).map(([variable, secret]) => ({ name: variable, ...secret })),
    })),
    routes: Object.entries(written.routes).map(([name, { route, priority, ttl }]) => ({
      name,
      text: route,
      priority,
      ttl,
    })),
    storeAndForward: { ...written.storeAndForward, maxQueueSize: written.storeAndForward.maxQueueSize },
    listeners: written.listeners,
    users: written.users.map(({ name, password, certificate, publish, subscribe }) => ({
      name,
      password,
      certificate,
      publish,
      subscribe,
    })),
    anonymous: written.anonymous,
    deployment: written.deployment,
    hub: written.hub,
    limits: { ...written.limits, keepAlive: written.limits.keepAlive },
    retained: written.retained,
    upstreams: Object.entries(
      written.upstreams ?? (written.upstream && { [DEFAULT_UPSTREAM]: written.upstream }) ?? {},
    ).map(([name, upstream]) => ({ name, ...upstream })),
  };
}

function refusal(file: string, path: readonly unknown[], problem: string): Failure {
  const field = path.length === 0 ? 'The manifest as a whole' : pathOf(path);
  return new Failure(
    'manifest.field',
    problem.endsWith('?') ? `${field} ${problem}` : `${field} ${problem} (in ${file}).`,
  );
}
