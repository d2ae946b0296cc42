import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import * as v from 'valibot';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';
import { MAX_MANIFEST_BYTES } from '../core/limits.ts';
import { DEFAULT_UPSTREAM } from '../core/message.ts';
import type { Complaint } from './checks/complaint.ts';
import { complaintOf } from './checks/complaint.ts';
import { contradictionIn } from './checks/contradictions.ts';
import { pathOf } from './checks/field-path.ts';
import { troubleIn } from './json/check-json.ts';
import type { WrittenManifest } from './schema/schema.ts';
import { manifestSchema } from './schema/schema.ts';
import type { Manifest } from './types.ts';

/** Bytes read at once. */
const PIECE_BYTES = 1 << 16;

const REASONS: Readonly<Record<string, string>> = { ENOENT: 'it is not there', EISDIR: 'it is a folder' };

/**
 * Reads and checks a manifest file.
 * @throws Failure `manifest.missing`, `manifest.syntax`, `manifest.field`
 */
export function readManifest(file: string): Manifest {
  return parseManifest(readManifestText(file), file);
}

/**
 * The text of a manifest file.
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
    throw new Failure('manifest.syntax', `The manifest ${file} is not UTF-8: save it in that encoding.`);
  }
  return bytes.toString('utf8');
}

/** The same for a text; `file` is what errors call it. */
export function parseManifest(text: string, file: string): Manifest {
  refuseLarge(Buffer.byteLength(text), file);
  const checked = checkManifest(parseJson(text, file));
  if ('complaint' in checked) throw refusal(file, checked.path, checked.complaint);
  return checked;
}

/** The manifest that a value is, or the first complaint about it. */
export function checkManifest(value: unknown): Manifest | Complaint {
  const result = v.safeParse(manifestSchema, value, { abortEarly: true });
  if (!result.success) return complaintOf(result.issues[0]);
  if (result.output.upstream !== undefined && result.output.upstreams !== undefined) return BOTH;
  const manifest = plain(result.output);
  return contradictionIn(manifest) ?? manifest;
}

const BOTH: Complaint = {
  path: ['upstreams'],
  complaint: 'is there beside "upstream": move that one into it, under the name "upstream"',
};

/** About so many bytes of a file at most, whatever it is. */
function readBounded(file: string, most: number): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    const pieces: Buffer[] = [];
    for (let length = 0; length < most; ) {
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      const read = readSync(descriptor, piece);
      if (read === 0) break;
      pieces.push(piece.subarray(0, read));
      length += read;
    }
    return Buffer.concat(pieces);
  } finally {
    closeSync(descriptor);
  }
}

function refuseLarge(bytes: number, file: string): void {
  if (bytes <= MAX_MANIFEST_BYTES) return;
  throw new Failure('manifest.syntax', `The manifest ${file} is larger than 1 MB, the most that is read.`);
}

/** What a text says, of which nothing is checked but that it is JSON. Failure `manifest.syntax`, `manifest.field`. */
export function parseJson(text: string, file: string): unknown {
  const trouble = troubleIn(text);
  if (trouble === undefined) return JSON.parse(text);
  if (trouble.kind === 'name') throw refusal(file, trouble.path, trouble.complaint);
  const before = text.slice(0, trouble.offset).split('\n');
  const place = `at line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
  const what = trouble.kind === 'syntax' ? 'is not JSON' : 'is nested too deep';
  throw new Failure('manifest.syntax', `The manifest ${file} ${what} ${place}: ${trouble.complaint}.`);
}

function plain(written: WrittenManifest): Manifest {
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

function refusal(file: string, path: readonly unknown[], complaint: string): Failure {
  const where = path.length === 0 ? 'The manifest as a whole' : pathOf(path);
  return new Failure(
    'manifest.field',
    complaint.endsWith('?') ? `${where} ${complaint}` : `${where} ${complaint} (in ${file}).`,
  );
}
