import { createReadStream, statSync } from 'node:fs';
import type { LocalSource } from '../bundles/types.ts';
import { abortable } from '../core/async/abortable.ts';
import { oneAtATime } from '../core/async/one-at-a-time.ts';
import { Failure } from '../core/errors.ts';
import type { Placed } from '../manifest/diff/plan.ts';
import type { Artifact } from '../manifest/types.ts';
import type { Launched } from '../self-update/launch.ts';
import { HUB_TRIAL, MAX_HUB_BYTES } from '../self-update/limits.ts';
import type { StagedHub } from '../self-update/stage.ts';
import type { TrialState } from '../self-update/trial.ts';
import {
  beginTrial,
  clearFailedUpdate,
  confirmTrial,
  failTrial,
  runningBinary,
  trialState,
} from '../self-update/trial.ts';
import type { Artifacts } from './artifacts.ts';

/** Replacement of the running hub binary by the binary that a manifest requires. */
export type SelfUpdate = {
  /** True if the manifest requires another binary than the running one. */
  readonly isRequired: (placed: Placed) => Promise<boolean>;
  /**
   * Copies the new binary into the free slot (folder for a hub binary) and schedules its trial for the next
   * start. Resolves to a function that cancels the trial. If the promise rejects, no trial is scheduled.
   * Rejects with Failure `bundle.*` or `update.*`, or with the signal's reason.
   */
  readonly stage: (placed: Placed, signal: AbortSignal) => Promise<() => void>;
  /** Requests that the hub restarts with the scheduled binary. */
  readonly requestRestart: () => void;
  /** Returns the state of the trial (test of a new hub binary) in which this hub runs. */
  readonly trial: () => TrialState;
  /** Ends the trial of the new hub binary as passed. */
  readonly confirmTrial: () => void;
  /** Ends the trial of the new hub binary as failed. Schedules the previous binary for the next start. */
  readonly failTrial: (reason: string) => void;
  readonly clearFailure: () => void;
};

/**
 * Seconds that are added to the time limit of a new hub. In this time the new hub can report why its
 * deployment failed, before the watchdog kills it.
 */
const REPORT_SECONDS = 10;

export type SelfUpdateSettings = {
  readonly dataFolder: string;
  readonly launched: Launched;
  /** Path of the running binary. Undefined if the hub runs from its sources. */
  readonly program: string | undefined;
  readonly artifacts: Pick<Artifacts, 'fetchFile'>;
  readonly requestRestart: () => void;
};

export function createSelfUpdate({
  dataFolder,
  launched,
  program,
  artifacts,
  requestRestart,
}: SelfUpdateSettings): SelfUpdate {
  const oneByOne = oneAtATime();
  const wantedBinary = ({ manifest }: Placed): Artifact | undefined => {
    const { arch } = process;
    return arch === 'x64' || arch === 'arm64' ? manifest.hub[arch] : undefined;
  };
  const runningSha256 = async (): Promise<string | undefined> => {
    const { sha256 } = runningBinary(dataFolder, launched);
    if (sha256 !== undefined || program === undefined) return sha256;
    const { sha256Of } = await import('../self-update/binary.ts');
    return sha256Of(program);
  };

  const stageBinary = async (placed: Placed, signal: AbortSignal): Promise<StagedHub> => {
    signal.throwIfAborted();
    const wanted = wantedBinary(placed);
    if (wanted === undefined)
      throw new Failure('update.state', 'The manifest names no hub binary for this machine.');
    const source = await artifacts.fetchFile(placed, wanted, `hub.${process.arch}`, MAX_HUB_BYTES, signal);
    const { stageHub } = await import('../self-update/stage.ts');
    const { sha256 } = wanted;
    const size = source.part?.size ?? statSync(source.path).size;
    const content = (): AsyncIterable<Buffer> => contentOf(source);
    return stageHub(dataFolder, launched, { sha256, size, content, signal });
  };

  return {
    isRequired: async placed => {
      const wanted = wantedBinary(placed);
      return wanted !== undefined && program !== undefined && wanted.sha256 !== (await runningSha256());
    },
    stage: async (placed, signal) => {
      // Stages one binary at a time, because an aborted call can still be writing to the slot.
      const staged = await abortable(
        oneByOne(() => stageBinary(placed, signal)),
        signal,
      );
      const { within } = placed.manifest.deployment;
      const seconds = Math.max(HUB_TRIAL.seconds, Math.ceil(within / 1000) + REPORT_SECONDS);
      const limits = { ...HUB_TRIAL, seconds };
      return beginTrial({ dataFolder, launched, program, staged, limits, signal });
    },
    requestRestart,
    trial: () => trialState(dataFolder, launched),
    confirmTrial: () => confirmTrial(dataFolder, launched),
    failTrial: reason => failTrial(dataFolder, launched, reason),
    clearFailure: () => clearFailedUpdate(dataFolder),
  };
}

function contentOf({ path, part }: LocalSource): AsyncIterable<Buffer> {
  if (part === undefined) return createReadStream(path);
  return createReadStream(path, { start: part.offset, end: part.offset + part.size - 1 });
}
