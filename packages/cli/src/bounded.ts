/** Does `work` on every item, at most `limit` at a time; the promises of the results stand in the order of the items. */
export function mapBounded<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result>[] {
  const settle: ((result: Promise<Result>) => void)[] = [];
  const results = items.map(() => new Promise<Result>((resolve) => settle.push(resolve)));
  const waiting = items.entries(); // shared: each worker takes the next one
  const worker = async (): Promise<void> => {
    for (const [index, item] of waiting) {
      const result = work(item);
      settle[index]?.(result);
      await result.catch(() => undefined); // whoever awaits `results` sees it
    }
  };
  for (let count = 0; count < limit; count++) void worker();
  return results;
}
