import type { Clock } from '../../src/core/clock.ts';
import type { Log } from '../../src/core/log.ts';
import type { MemoryKeeper } from '../../src/hub/memory/keeper.ts';
import { startMemoryKeeper } from '../../src/hub/memory/keeper.ts';

/** The keeper of a hub that may take 64 MB, on a runtime that offers no collection of garbage. */
export function memoryUnder(clock: Clock, log: Log): MemoryKeeper {
  return startMemoryKeeper({
    total: { bytes: 64 << 20, source: '--memory' },
    clock,
    log,
    loadAllocator: async () => undefined,
    collect: undefined,
  });
}
