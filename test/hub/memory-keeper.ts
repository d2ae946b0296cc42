import type { Clock } from '../../src/core/clock.ts';
import type { Log } from '../../src/core/log.ts';
import type { MemoryKeeper } from '../../src/hub/memory/keeper.ts';
import { startMemoryKeeper } from '../../src/hub/memory/keeper.ts';

/** Memory keeper of a hub with a limit of 64 MB and without access to the garbage collector. */
export function memoryUnder(clock: Clock, log: Log): MemoryKeeper {
  return startMemoryKeeper({
    total: { bytes: 64 << 20, source: '--memory' },
    clock,
    log,
    loadAllocator: async () => undefined,
    collect: undefined,
  });
}
