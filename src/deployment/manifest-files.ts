import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '../self-update/durable.ts';
import type { Ledger } from './deployment.ts';

/** Which one was healthy last, beside the texts. */
const REMEMBERED = 'healthy';

/** The texts of deployments, as files: a store that is lost does not take them with it. */
export type Archive = {
  /** Keeps a text, flushed. */
  readonly keep: (id: string, text: string) => void;
  /** Undefined: it is not kept. */
  readonly read: (id: string) => string | undefined;
  /** Forgets all others. */
  readonly only: (ids: ReadonlySet<string>) => void;
  readonly remember: (ledger: Remembered) => void;
  /** `damaged`: it cannot be read. */
  readonly remembered: () => Remembered | 'damaged';
};

type Remembered = Pick<Ledger, 'healthy' | 'newest' | 'given'>;

export function openArchive(folder: string): Archive {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pathOf = (id: string): string => join(folder, `${id}.json`);
  return {
    keep: (id, text) => writeDurably(pathOf(id), text),
    read: id => (existsSync(pathOf(id)) ? readFileSync(pathOf(id), 'utf8') : undefined),
    only: ids => {
      const kept = new Set([REMEMBERED, ...Array.from(ids, id => `${id}.json`)]);
      for (const name of readdirSync(folder))
        if (!kept.has(name)) rmSync(join(folder, name), { recursive: true });
    },
    remember: ({ healthy, newest, given }) =>
      writeDurably(join(folder, REMEMBERED), JSON.stringify({ healthy, newest, given })),
    remembered: () => {
      const file = join(folder, REMEMBERED);
      if (!existsSync(file)) return { healthy: undefined, newest: undefined, given: undefined };
      return rememberedIn(readFileSync(file, 'utf8'));
    },
  };
}

function rememberedIn(text: string): Remembered | 'damaged' {
  try {
    const { healthy, newest, given }: Partial<Ledger> = JSON.parse(text);
    return { healthy, newest, given };
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return 'damaged';
    throw thrown;
  }
}
