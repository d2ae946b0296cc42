import { abortable } from '../core/async/abortable.ts';
import { reasonOf } from '../core/errors.ts';
import { storedJson } from '../core/files/stored-json.ts';
import type { Log } from '../core/log.ts';
import type { Store } from '../queue/types.ts';
import type { DeploymentRecord } from './deployment.ts';
import { EMPTY_RECORD } from './deployment.ts';
import type { ManifestFiles } from './manifest-files.ts';

/** Store key of the deployment record. */
const STORE_KEY = 'deployment';

/**
 * Deployment record in the store. A recovery file has a copy of the fields that a rollback needs, in case the
 * store is lost.
 */
export type DeploymentState = {
  readonly read: () => DeploymentRecord;
  /** Returns the record on disk, without the changes that are being written. The CLI shows this record. */
  readonly committed: () => DeploymentRecord;
  /**
   * Writes a change. Resolves when the change is durable. Rejects with Failure `store.write`, or with the
   * signal's reason.
   */
  readonly write: (change: Partial<DeploymentRecord>, signal: AbortSignal) => Promise<void>;
  /** Writes a change without waiting until it is durable. A crash can lose the change. */
  readonly writeLazily: (change: Partial<DeploymentRecord>) => void;
};

export function openDeploymentState(
  store: Pick<Store, 'get' | 'put' | 'flushSoon'>,
  files: ManifestFiles,
  log: Log,
): DeploymentState {
  let record = parseRecord(store.get(STORE_KEY)) ?? recover(files, log);
  let committed = record;

  /**
   * Writes the recovery file. Rejects if the disk is full, even if the store still has reserved disk space.
   */
  const saveRecovery = async (now: DeploymentRecord): Promise<void> => files.saveRecovery(now);

  const put = (change: Partial<DeploymentRecord>): Promise<void> => {
    const before = record;
    record = { ...record, ...change };
    const now = record;
    const stored = new Promise<void>((resolve, reject) => {
      store.put(STORE_KEY, Buffer.from(JSON.stringify(now)), error => {
        committed = now;
        if (error === undefined) resolve();
        else reject(error);
      });
    });
    return hasSameRecovery(before, now) ? stored : Promise.all([stored, saveRecovery(now)]).then(() => {});
  };

  return {
    read: () => record,
    committed: () => committed,
    write: (change, signal) => {
      const written = put(change);
      store.flushSoon();
      return abortable(written, signal);
    },
    writeLazily: change => {
      put(change).catch((thrown: unknown) =>
        log.warn(`Cannot save the deployment state: ${reasonOf(thrown)}`),
      );
    },
  };
}

function parseRecord(bytes: Buffer | undefined): DeploymentRecord | undefined {
  const value = storedJson(bytes);
  return typeof value === 'object' && value !== null ? { ...EMPTY_RECORD, ...value } : undefined;
}

function hasSameRecovery(one: DeploymentRecord, other: DeploymentRecord): boolean {
  const { healthy, newest, given } = other;
  return one.healthy?.id === healthy?.id && one.newest?.serial === newest?.serial && one.given === given;
}

/**
 * Creates the deployment record from the recovery file. Called if the store contains no record, for example
 * after the store was replaced.
 */
function recover(files: ManifestFiles, log: Log): DeploymentRecord {
  const recovery = files.readRecovery();
  if (recovery === 'damaged') {
    log.error('The store has no deployment, and the recovery file is corrupted: apply a manifest again.');
    return EMPTY_RECORD;
  }
  const { healthy, ...others } = recovery;
  if (healthy !== undefined)
    log.warn(
      'The store has no deployment: the hub applies the last healthy deployment from the recovery file.',
    );
  return { ...EMPTY_RECORD, current: healthy, healthy, ...others };
}
