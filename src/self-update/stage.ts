import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, rename, rm, statfs } from 'node:fs/promises';
import { Failure, reasonOf, systemCode } from '../core/errors.ts';
import { flushFolder } from '../core/files/durable.ts';
import { DISK_RESERVE_BYTES } from '../queue/limits.ts';
import { architectureOf, ELF_HEADER_BYTES } from './elf.ts';
import type { Launched } from './launch.ts';
import { HUB_VERSION_TIMEOUT_MS, MAX_HUB_BYTES } from './limits.ts';
import type { SlotName, UpdatePaths } from './paths.ts';
import { SLOTS, updatePaths } from './paths.ts';
import type { SlotContent } from './state.ts';
import { readUpdateState } from './state.ts';

export type NewHub = {
  /** Expected SHA-256 from the manifest, in hexadecimal digits. */
  readonly sha256: string;
  /** Size in bytes, for the check of free disk space. Undefined if the size is not known in advance. */
  readonly size?: number | undefined;
  /** Returns the content of the binary. Called once. */
  readonly content: () => AsyncIterable<Buffer>;
  readonly signal?: AbortSignal | undefined;
};

/** Verified binary in the free slot. */
export type StagedHub = SlotContent & { readonly slot: SlotName };

/**
 * Copies a new hub binary into the free slot, verifies its hash, and runs the binary once to read its
 * version. Does not affect the running hub. Throws Failure `update.binary` if the hash is wrong or the binary
 * cannot run on this machine. Throws Failure `update.unwritable` if the binary cannot be saved. Throws the
 * signal's reason after an abort.
 */
export async function stageHub(dataFolder: string, launched: Launched, hub: NewHub): Promise<StagedHub> {
  const paths = updatePaths(dataFolder);
  const slot = freeSlot(paths, launched);
  const path = paths.binary(slot);
  const draft = `${path}.part`;
  const { signal } = hub;
  const failed = (thrown: unknown): unknown => {
    if (signal?.aborted) return signal.reason;
    return thrown instanceof Failure ? thrown : unwritable(path, reasonOf(thrown));
  };
  await mkdir(paths.slotFolder(slot), { recursive: true, mode: 0o700 }).catch((thrown: unknown) => {
    throw failed(thrown);
  });
  try {
    // Removes the old binary of this slot to free its disk space.
    for (const file of [draft, path]) await rm(file, { force: true });
    await checkSpace(paths, hub.size ?? 0);
    const size = await copy(hub, draft);
    const version = await versionOf(draft, signal);
    signal?.throwIfAborted();
    await rename(draft, path);
    flushFolder(paths.slotFolder(slot));
    flushFolder(paths.folder);
    return { slot, sha256: hub.sha256, size, version };
  } catch (thrown) {
    await rm(draft, { force: true });
    throw failed(thrown);
  }
}

/** Returns the slot that contains neither the running binary nor the binary to roll back to. */
function freeSlot(paths: UpdatePaths, { running }: Launched): SlotName {
  const { state } = readUpdateState(paths);
  const kept = state?.trial?.slot === running ? [state?.current] : [running, state?.current];
  return SLOTS.find(slot => !kept.includes(slot)) ?? (running === 'a' ? 'b' : 'a');
}

async function checkSpace({ folder }: UpdatePaths, size: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= size + DISK_RESERVE_BYTES) return;
  const needed = `${Math.ceil((size + DISK_RESERVE_BYTES) / 1e6)} MB are needed`;
  throw unwritable(folder, `${needed} and ${Math.floor((bavail * bsize) / 1e6)} are free`);
}

function unwritable(path: string, reason: string): Failure {
  const sentence = `The new hub cannot be saved in ${path} (${reason}): free disk space, or correct the folder's permissions.`;
  return new Failure('update.unwritable', sentence);
}

/** Writes the content durably to `path` and verifies its hash. Returns the size in bytes. */
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
        `has the SHA-256 ${found}, but the manifest says ${sha256}: name the right file, or correct "hub"`,
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

/**
 * Runs the new binary with the argument `version` and returns the version that it prints. A successful run
 * proves that this machine can run the binary.
 */
async function versionOf(path: string, signal: AbortSignal | undefined): Promise<string> {
  const architecture = architectureOf(await headerOf(path));
  if (architecture === undefined) throw refused('is not a Linux program: name the binary itself');
  if (architecture !== process.arch)
    throw refused(`is made for ${architecture}, but this machine is ${process.arch}: correct "hub"`);
  const printed = await output(path, signal);
  const version = /^skerry (\S{1,64}) /.exec(printed)?.[1];
  if (version === undefined) throw refused('does not print a Skerry version when it is run with "version"');
  return version;
}

async function headerOf(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(ELF_HEADER_BYTES), 0, ELF_HEADER_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function output(path: string, signal: AbortSignal | undefined): Promise<string> {
  const ending = { timeout: HUB_VERSION_TIMEOUT_MS, killSignal: 'SIGKILL', signal } as const;
  const options = { ...ending, env: {}, cwd: '/' };
  return new Promise((resolve, reject) => {
    execFile(path, ['version'], options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(cannotRun(path, error, stderr));
    });
  });
}

function cannotRun(path: string, error: Error, stderr: string): Failure {
  if (systemCode(error) === 'EACCES')
    return new Failure(
      'update.unwritable',
      `${path} cannot be run: its file system is probably mounted noexec (EACCES). Name a data folder on another with --data DIR.`,
    );
  const lines = stderr.trim().split('\n');
  return refused(
    `does not run on this machine (${lines[0] || reasonOf(error)}): use one that is built for this system`,
  );
}
