import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '../core/files/durable.ts';
import type { DeploymentRecord } from './deployment.ts';

/** Name of the recovery file in the folder of the manifests. */
const RECOVERY_FILE = 'healthy';

/** Manifest files of deployments in the data folder. The files remain usable if the store is damaged. */
export type ManifestFiles = {
  /** Writes a manifest atomically and durably. */
  readonly save: (id: string, text: string) => void;
  /** Returns the text of a manifest. Undefined if there is no file for the id. */
  readonly read: (id: string) => string | undefined;
  /** Removes all manifest files except those with the given ids. */
  readonly retain: (ids: ReadonlySet<string>) => void;
  /**
   * Writes the recovery file. It contains the part of the deployment state that is needed if the store is
   * lost.
   */
  readonly saveRecovery: (record: RecoveryRecord) => void;
  readonly readRecovery: () => RecoveryRecord | 'damaged';
};

type RecoveryRecord = Pick<DeploymentRecord, 'healthy' | 'newest' | 'given'>;

export function openManifestFiles(folder: string): ManifestFiles {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pathOf = (id: string): string => join(folder, `${id}.json`);
  return {
    save: (id, text) => writeDurably(pathOf(id), text),
    read: id => (existsSync(pathOf(id)) ? readFileSync(pathOf(id), 'utf8') : undefined),
    retain: ids => {
      const kept = new Set([RECOVERY_FILE, ...Array.from(ids, id => `${id}.json`)]);
      for (const name of readdirSync(folder))
        if (!kept.has(name)) rmSync(join(folder, name), { recursive: true });
    },
    saveRecovery: ({ healthy, newest, given }) =>
      writeDurably(join(folder, RECOVERY_FILE), JSON.stringify({ healthy, newest, given })),
    readRecovery: () => {
      const file = join(folder, RECOVERY_FILE);
      if (!existsSync(file)) return { healthy: undefined, newest: undefined, given: undefined };
      return parseRecovery(readFileSync(file, 'utf8'));
    },
  };
}

function parseRecovery(text: string): RecoveryRecord | 'damaged' {
  try {
    const { healthy, newest, given }: Partial<DeploymentRecord> = JSON.parse(text);
    return { healthy, newest, given };
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return 'damaged';
    throw thrown;
  }
}
