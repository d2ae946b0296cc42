import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';
import type { WrittenManifest } from './schema.ts';
import { manifestSchema } from './schema.ts';
import type { Manifest, Upstream } from './types.ts';

/** IANA's port of MQTT. */
const MQTT_PORT = 1883;

/**
 * Reads and checks a manifest file.
 * @throws Failure `manifest.missing`, `manifest.syntax`, `manifest.field`
 */
export function readManifest(file: string): Manifest {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (thrown) {
    const reason = systemCode(thrown) === 'ENOENT' ? 'it is not there' : reasonOf(thrown);
    throw new Failure('manifest.missing', `The manifest ${file} cannot be read: ${reason}.`);
  }
  return parseManifest(text, file);
}

/** The same for a text; `file` is what errors call it. */
export function parseManifest(text: string, file: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw new Failure(
      'manifest.syntax',
      `The manifest ${file} is not JSON: ${withoutText(reasonOf(thrown))}.`,
    );
  }
  const result = v.safeParse(manifestSchema, value, { abortEarly: true });
  if (!result.success) throw fieldFailure(file, result.issues[0]);
  return plain(result.output, file);
}

/** JSON.parse may show a piece of the text, and that may be of a password. */
export function withoutText(reason: string): string {
  return reason.replace(/, (\.\.\.)?".*"(\.\.\.)? is not valid JSON$/s, '');
}

function plain(written: WrittenManifest, file: string): Manifest {
  return {
    name: written.name,
    dialect: written.dialect,
    serial: written.serial,
    signature: written.signature,
    modules: Object.entries(written.modules).map(([name, { secrets, ...module }]) => ({
      name,
      ...module,
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
    upstream: written.upstream === undefined ? undefined : upstreamOf(written.upstream.url, file),
  };
}

function upstreamOf(text: string, file: string): Upstream {
  const url = URL.parse(text);
  // The address may hold a password, so the sentence does not repeat it.
  if (url === null || url.protocol !== 'mqtt:' || url.hostname === '') {
    throw refusal(file, 'upstream.url', 'must be an address such as "mqtt://parent:1883"');
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? MQTT_PORT : Number(url.port),
    username: url.username === '' ? undefined : decodeURIComponent(url.username),
    password: url.password === '' ? undefined : decodeURIComponent(url.password),
  };
}

function fieldFailure(file: string, issue: v.BaseIssue<unknown>): Failure {
  const inner = deepest(issue);
  const keys = [...(issue.path ?? []), ...(inner === issue ? [] : (inner.path ?? []))].map(item => item.key);
  return refusal(file, pathOf(keys), complaintOf(inner));
}

/** Of a union's branches, the complaint that went furthest into the value. */
function deepest(issue: v.BaseIssue<unknown>): v.BaseIssue<unknown> {
  let best: v.BaseIssue<unknown> | undefined;
  for (const branch of issue.issues ?? []) {
    if ((branch.path?.length ?? 0) > (best?.path?.length ?? 0)) best = branch;
  }
  return best ?? issue;
}

function complaintOf(issue: v.BaseIssue<unknown>): string {
  if (issue.type === 'strict_object' && issue.expected === 'never') return 'is not a field this skerry knows';
  if (issue.received === 'undefined') return 'is missing';
  return issue.message.startsWith('Invalid')
    ? `must be ${issue.expected ?? 'valid'}, and is ${issue.received}`
    : issue.message;
}

function pathOf(keys: readonly unknown[]): string {
  let path = '';
  for (const key of keys) {
    if (typeof key === 'number') path += `[${key}]`;
    else path += path === '' ? String(key) : `.${String(key)}`;
  }
  return path;
}

function refusal(file: string, path: string, complaint: string): Failure {
  const where = path === '' ? 'The manifest as a whole' : path;
  return new Failure('manifest.field', `${where} ${complaint} (in ${file}).`);
}
