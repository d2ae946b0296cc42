import { reasonOf } from '../core/errors.ts';
import { storedJson } from '../core/files/stored-json.ts';
import type { Log } from '../core/log.ts';
import type { Store } from '../queue/types.ts';
import { unlessAborted } from './abortable.ts';
import type { Ledger } from './deployment.ts';
import { EMPTY_LEDGER } from './deployment.ts';
import type { Archive } from './manifest-files.ts';

/** Its name in the store. */
const NAME = 'deployment';

/** What is kept of deployments: in the store, and once more beside the texts, for a store that was lost. */
export type LedgerBook = {
  readonly read: () => Ledger;
  /** The same without what is still on its way to the disk: what others may be told. */
  readonly told: () => Ledger;
  /** Resolves when the change is on disk; Failure `store.write`. Whoever leaves by the signal does not wait for that. */
  readonly write: (change: Partial<Ledger>, signal: AbortSignal) => Promise<void>;
  /** Notes what a crash may forget. */
  readonly note: (change: Partial<Ledger>) => void;
};

export function openLedger(
  store: Pick<Store, 'get' | 'put' | 'flushSoon'>,
  archive: Archive,
  log: Log,
): LedgerBook {
  let ledger = ledgerFrom(store.get(NAME)) ?? afterLoss(archive, log);
  let told = ledger;

  /** Beside the store, which a full disk may still let write what this refuses. */
  const remember = async (now: Ledger): Promise<void> => archive.remember(now);

  const put = (change: Partial<Ledger>): Promise<void> => {
    const before = ledger;
    ledger = { ...ledger, ...change };
    const now = ledger;
    const kept = new Promise<void>((resolve, reject) => {
      store.put(NAME, Buffer.from(JSON.stringify(now)), error => {
        told = now;
        if (error === undefined) resolve();
        else reject(error);
      });
    });
    return isAsRemembered(before, now) ? kept : Promise.all([kept, remember(now)]).then(() => {});
  };

  return {
    read: () => ledger,
    told: () => told,
    write: (change, signal) => {
      const written = put(change);
      store.flushSoon();
      return unlessAborted(written, signal);
    },
    note: change => {
      put(change).catch((thrown: unknown) => log.warn(`What runs could not be noted: ${reasonOf(thrown)}`));
    },
  };
}

function ledgerFrom(bytes: Buffer | undefined): Ledger | undefined {
  const value = storedJson(bytes);
  return typeof value === 'object' && value !== null ? { ...EMPTY_LEDGER, ...value } : undefined;
}

function isAsRemembered(one: Ledger, other: Ledger): boolean {
  const { healthy, newest, given } = other;
  return one.healthy?.id === healthy?.id && one.newest?.serial === newest?.serial && one.given === given;
}

/** A store that was set aside knows of nothing: what was healthy runs again. */
function afterLoss(archive: Archive, log: Log): Ledger {
  const remembered = archive.remembered();
  if (remembered === 'damaged') {
    log.error('The store knows of no deployment, and the note beside it is damaged: apply a manifest again.');
    return EMPTY_LEDGER;
  }
  const { healthy, ...others } = remembered;
  if (healthy !== undefined) log.warn(`The store knows of no deployment: the last healthy one runs again.`);
  return { ...EMPTY_LEDGER, current: healthy, healthy, ...others };
}
