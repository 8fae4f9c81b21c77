/** At most this many answers are held back until an earlier one has come. */
const WINDOW = 256;

/**
 * Brings answers into the order of their targets, as far as limited memory allows. If more than 256 answers wait for a slow one, they are
 * printed without it. The slow one is printed when it comes.
 */
export async function* inOrder<Item extends { readonly index: number }>(
  items: AsyncIterable<Item>,
): AsyncGenerator<Item, void, void> {
  const held = new Map<number, Item>();
  let next = 0;
  for await (const item of items) {
    if (item.index < next) {
      yield item; // The wait for it was long enough.
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
