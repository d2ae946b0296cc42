import type { StoreHealth } from '../../queue/types.ts';

/** Returns one sentence for each problem of the store. */
export function troublesOf({ state, reason, setAside }: StoreHealth): string[] {
  const troubles: string[] = [];
  if (state !== 'working') troubles.push(reason ?? `The store is ${state}.`);
  if (setAside !== undefined) {
    troubles.push(
      `A damaged store was moved to ${setAside}: its messages are not delivered; remove it when you no longer need it.`,
    );
  }
  return troubles;
}
