import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, rename, rm, statfs } from 'node:fs/promises';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';
import { DISK_RESERVE_BYTES } from '../queue/limits.ts';
import { flushFolder } from './durable.ts';
import { architectureOf, ELF_HEAD_BYTES } from './elf.ts';
import type { Launched } from './launch.ts';
import { HUB_VERSION_TIMEOUT_MS, MAX_HUB_BYTES } from './limits.ts';
import type { Places, SlotName } from './paths.ts';
import { placesIn, SLOTS } from './paths.ts';
import type { SlotContent } from './state.ts';
import { readState } from './state.ts';

export type NewHub = {
  /** What the manifest says that it is, in hex. */
  readonly sha256: string;
  /** Its bytes, if that is known before they come: then there must be room for them. */
  readonly size?: number | undefined;
  /** Read once, from the beginning, and not at all if it lies in a slot already. */
  readonly content: () => AsyncIterable<Buffer>;
  /** Aborted, it is not wanted any more. */
  readonly signal?: AbortSignal | undefined;
};

/** A binary that lies in the free slot and can be run. */
export type Staged = SlotContent & { readonly slot: SlotName };

/**
 * Puts a new hub into the free slot, verified while it is copied, and lets it say its version. What runs is not touched.
 * @throws Failure `update.binary`: it is not what the manifest says, or cannot run here; `update.unwritable`: no room; or the
 * signal's reason, as soon as the disk lets go of it
 */
export async function stageHub(dataFolder: string, launched: Launched, hub: NewHub): Promise<Staged> {
  const places = placesIn(dataFolder);
  const slot = freeSlot(places, launched);
  const path = places.binary(slot);
  const draft = `${path}.part`;
  const { signal } = hub;
  const failed = (thrown: unknown): unknown => {
    if (signal?.aborted) return signal.reason;
    return thrown instanceof Failure ? thrown : unwritable(path, reasonOf(thrown));
  };
  await mkdir(places.slotFolder(slot), { recursive: true, mode: 0o700 }).catch((thrown: unknown) => {
    throw failed(thrown);
  });
  try {
    // What lies there is in nobody's use, and its room may be needed.
    for (const file of [draft, path]) await rm(file, { force: true });
    await checkRoom(places, hub.size ?? 0);
    const size = await copy(hub, draft);
    const version = await versionOf(draft, signal);
    signal?.throwIfAborted();
    await rename(draft, path);
    flushFolder(places.slotFolder(slot));
    flushFolder(places.folder);
    return { slot, sha256: hub.sha256, size, version };
  } catch (thrown) {
    await rm(draft, { force: true });
    throw failed(thrown);
  }
}

/** The slot that is neither in use nor what is returned to. */
function freeSlot(places: Places, { running }: Launched): SlotName {
  const { state } = readState(places);
  const kept = state?.trial?.slot === running ? [state?.current] : [running, state?.current];
  return SLOTS.find(slot => !kept.includes(slot)) ?? (running === 'a' ? 'b' : 'a');
}

async function checkRoom({ folder }: Places, size: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= size + DISK_RESERVE_BYTES) return;
  const needed = `${Math.ceil((size + DISK_RESERVE_BYTES) / 1e6)} MB are needed`;
  throw unwritable(folder, `${needed} and ${Math.floor((bavail * bsize) / 1e6)} are free`);
}

function unwritable(path: string, reason: string): Failure {
  const sentence = `The new hub cannot be kept in ${path} (${reason}): make room, or correct the folder's rights.`;
  return new Failure('update.unwritable', sentence);
}

/** Copies what it verifies, flushed; returns its bytes. */
async function copy({ sha256, content, signal }: NewHub, path: string): Promise<number> {
  const file = await open(path, 'wx', 0o755);
  try {
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of content()) {
      signal?.throwIfAborted();
      size += chunk.length;
      if (size > MAX_HUB_BYTES)
        throw refused(`is larger than a hub may be, ${MAX_HUB_BYTES} bytes: name the right file`);
      hash.update(chunk);
      await writeWhole(file, chunk);
    }
    const found = hash.digest('hex');
    if (found !== sha256)
      throw refused(
        `has the SHA-256 ${found}, and the manifest says ${sha256}: name the right file, or correct "hub"`,
      );
    await file.chmod(0o755);
    await file.sync();
    return size;
  } finally {
    await file.close();
  }
}

async function writeWhole(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let start = 0; start < bytes.length; )
    start += (await file.write(bytes, start, bytes.length - start)).bytesWritten;
}

function refused(complaint: string): Failure {
  return new Failure('update.binary', `The new hub ${complaint}.`);
}

/** What the new hub calls itself, once it has shown that it can run here. */
async function versionOf(path: string, signal: AbortSignal | undefined): Promise<string> {
  const architecture = architectureOf(await headOf(path));
  if (architecture === undefined) throw refused('is no program for Linux: name the binary itself');
  if (architecture !== process.arch)
    throw refused(`is made for ${architecture}, and this machine is ${process.arch}: correct "hub"`);
  const said = await output(path, signal);
  const version = /^skerry (\S{1,64}) /.exec(said)?.[1];
  if (version === undefined) throw refused('does not say that it is Skerry when it is asked for its version');
  return version;
}

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(ELF_HEAD_BYTES), 0, ELF_HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function output(path: string, signal: AbortSignal | undefined): Promise<string> {
  const ending = { timeout: HUB_VERSION_TIMEOUT_MS, killSignal: 'SIGKILL', signal } as const;
  const options = { ...ending, env: {}, cwd: '/' };
  return new Promise((resolve, reject) => {
    execFile(path, ['version'], options, (error, out, said) => {
      if (error === null) resolve(out);
      else reject(cannotRun(path, error, said));
    });
  });
}

function cannotRun(path: string, error: Error, said: string): Failure {
  if (systemCode(error) === 'EACCES')
    return new Failure(
      'update.unwritable',
      `${path} cannot be run: its file system is probably mounted noexec, so name a data folder on another with --data DIR.`,
    );
  const lines = said.trim().split('\n');
  return refused(
    `does not run here (${lines[0] || reasonOf(error)}): take one that is built for this system`,
  );
}
