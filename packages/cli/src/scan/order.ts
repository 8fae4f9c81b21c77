/** Answers that are held back, at most, until an earlier one is there. */
const WINDOW = 256;

/**
 * Brings answers into the order of their targets, as far as that can be had in bounded memory: once more than 256 of them wait for a slow
 * one, they are let go, and the slow one comes when it comes.
 */
export async function* inOrder<Item extends { readonly index: number }>(
  items: AsyncIterable<Item>,
): AsyncGenerator<Item, void, void> {
  const held = new Map<number, Item>();
  let next = 0;
  for await (const item of items) {
    if (item.index < next) {
      yield item; // it was waited for long enough
      continue;
    }
    held.set(item.index, item);
    if (held.size > WINDOW) next = Math.min(...held.keys());
    for (let due = held.get(next); due !== undefined; due = held.get(next)) {
      held.delete(next++);
      yield due;
    }
  }
  yield* [...held.values()].sort((a, b) => a.index - b.index);
}
