import type { Holder, Shares } from '../../core/capacity/shares.ts';
import type { QueueShare, Store } from '../../queue/types.ts';

/**
 * Creates a function that charges the bytes of a queue to a holder (a user, module or address that has a
 * share of the store).
 */
export function assignTo(
  store: Pick<Store, 'assignShare'>,
  shares: Shares,
): (queue: string, holder: Holder) => void {
  return (queue, holder) => {
    const share: QueueShare = {
      holder,
      add: bytes => shares.add(holder, bytes),
      available: () => shares.most(holder) - shares.held(holder),
    };
    store.assignShare(queue, share);
  };
}
