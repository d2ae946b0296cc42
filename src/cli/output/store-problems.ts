import type { StoreHealth } from '../../queue/types.ts';

/** Returns the problems of the store, with one sentence each. */
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
