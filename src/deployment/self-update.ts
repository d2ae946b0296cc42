import { createReadStream, statSync } from 'node:fs';
import type { LocalSource } from '../bundles/types.ts';
import { Failure } from '../core/errors.ts';
import { oneAtATime } from '../core/one-at-a-time.ts';
import type { Placed } from '../manifest/diff/plan.ts';
import type { Artifact } from '../manifest/types.ts';
import type { Launched } from '../self-update/launch.ts';
import { HUB_TRIAL, MAX_HUB_BYTES } from '../self-update/limits.ts';
import type { Staged } from '../self-update/stage.ts';
import type { TrialState } from '../self-update/trial.ts';
import {
  beginTrial,
  confirm,
  forgetReturn,
  giveUp,
  runningBinary,
  trialState,
} from '../self-update/trial.ts';
import { unlessAborted } from './abortable.ts';
import type { Provisions } from './artifacts.ts';

/** The hub's own replacement by the one that a deployment names. */
export type Renewal = {
  /** Whether it names another than runs. */
  readonly isDue: (placed: Placed) => Promise<boolean>;
  /**
   * Puts the new one where it can be started, and notes that it is to be. Resolves to what takes that note back. Failures
   * of `bundle` and `update`; or the signal's reason, soon: then nothing is noted.
   */
  readonly stage: (placed: Placed, signal: AbortSignal) => Promise<() => void>;
  /** Asks that this hub be stopped, and what is noted be started. */
  readonly leave: () => void;
  /** How this hub came to run. */
  readonly state: () => TrialState;
  /** This hub is good. */
  readonly confirm: () => void;
  /** This hub is not, and why: the one before is noted. */
  readonly giveUp: (reason: string) => void;
  readonly forgetReturn: () => void;
};

/** Seconds beyond its own time that a new hub has to say why it gives up: its guard knows only that it took too long. */
const TELLING = 10;

export type RenewalSettings = {
  readonly dataFolder: string;
  readonly launched: Launched;
  /** The binary of this process; undefined: it runs from sources. */
  readonly program: string | undefined;
  readonly provisions: Pick<Provisions, 'obtain'>;
  readonly leave: () => void;
};

export function createRenewal({
  dataFolder,
  launched,
  program,
  provisions,
  leave,
}: RenewalSettings): Renewal {
  const inTurn = oneAtATime();
  const wantedBy = ({ manifest }: Placed): Artifact | undefined => {
    const { arch } = process;
    return arch === 'x64' || arch === 'arm64' ? manifest.hub[arch] : undefined;
  };
  const runs = async (): Promise<string | undefined> => {
    const { sha256 } = runningBinary(dataFolder, launched);
    if (sha256 !== undefined || program === undefined) return sha256;
    const { sha256Of } = await import('../self-update/binary.ts');
    return sha256Of(program);
  };

  const bring = async (placed: Placed, signal: AbortSignal): Promise<Staged> => {
    signal.throwIfAborted();
    const wanted = wantedBy(placed);
    if (wanted === undefined)
      throw new Failure('update.state', 'The manifest names no hub for this machine.');
    const source = await provisions.obtain(placed, wanted, `hub.${process.arch}`, MAX_HUB_BYTES, signal);
    const { stageHub } = await import('../self-update/stage.ts');
    const { sha256 } = wanted;
    const size = source.part?.size ?? statSync(source.path).size;
    const content = (): AsyncIterable<Buffer> => contentOf(source);
    return stageHub(dataFolder, launched, { sha256, size, content, signal });
  };

  return {
    isDue: async placed => {
      const wanted = wantedBy(placed);
      return wanted !== undefined && program !== undefined && wanted.sha256 !== (await runs());
    },
    stage: async (placed, signal) => {
      // One that was left may still wait for the disk, and it is the same slot.
      const staged = await unlessAborted(
        inTurn(() => bring(placed, signal)),
        signal,
      );
      const { within } = placed.manifest.deployment;
      const seconds = Math.max(HUB_TRIAL.seconds, Math.ceil(within / 1000) + TELLING);
      const limits = { ...HUB_TRIAL, seconds };
      return beginTrial({ dataFolder, launched, program, staged, limits, signal });
    },
    leave,
    state: () => trialState(dataFolder, launched),
    confirm: () => confirm(dataFolder, launched),
    giveUp: reason => giveUp(dataFolder, launched, reason),
    forgetReturn: () => forgetReturn(dataFolder),
  };
}

function contentOf({ path, part }: LocalSource): AsyncIterable<Buffer> {
  if (part === undefined) return createReadStream(path);
  return createReadStream(path, { start: part.offset, end: part.offset + part.size - 1 });
}
