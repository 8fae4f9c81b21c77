import type { Place } from '@certpin/pins-file';
import type { Context } from './context.ts';
import { DeliverError } from './deliver-error.ts';
import { findVariable, type Variable } from './env-file.ts';
import { findText, readPointer } from './json-file.ts';
import { readTextFile, type TextFile, writeTextFile } from './text-file.ts';
import type { Item, Step, Wish } from './wish.ts';

type FilePlace = Extract<Place, { kind: 'file' }>;

/** Places in files: one step for each file, whatever the names under which it is reached. */
export function planFiles({ document }: Context, wishes: readonly Wish[]): readonly Step[] {
  const groups = new Map<string, { readonly file: TextFile; readonly shown: string; readonly wishes: Wish[] }>();
  const unusable: Step[] = [];
  for (const wish of wishes) {
    const { path } = wish.place as FilePlace;
    try {
      const file = readTextFile(document.path, path);
      const group = groups.get(file.path) ?? { file, shown: path, wishes: [] };
      group.wishes.push(wish);
      groups.set(file.path, group);
    } catch (error) {
      if (!(error instanceof DeliverError)) throw error;
      const refusal = new DeliverError(error.code, error.message, wish.place);
      const items: Item[] = [{ ...wish, standing: { how: 'unknown', reason: error.message } }];
      unusable.push({ ...nothing, name: path, items, refusals: [refusal] });
    }
  }
  return [
    ...unusable,
    ...[...groups.values()].map(({ file, shown, wishes }) => planFile(document.path, file, shown, wishes)),
  ];
}

const nothing = { snapshot: undefined, login: undefined, write: async () => [] } as const;

function planFile(pinsFile: string, file: TextFile, shown: string, wishes: readonly Wish[]): Step {
  const refusals: DeliverError[] = [];
  let text = file.text;
  const items = wishes.map((wish): Item => {
    const place = wish.place as FilePlace;
    const found = find(text ?? (place.format === 'env' ? '' : '{}\n'), place);
    if (typeof found === 'string') {
      refusals.push(new DeliverError('ERR_PLACE', `${shown}: ${found}`, place));
      return { ...wish, standing: { how: 'unknown', reason: found } };
    }
    text = found.replace(wish.pins);
    return { ...wish, standing: found.text === undefined ? { how: 'absent' } : { how: 'read', text: found.text } };
  });
  return {
    ...{ name: shown, items, refusals, login: undefined },
    snapshot: { path: shown, text: file.text ?? null },
    write: async () => {
      writeTextFile(pinsFile, file, text ?? '', shown);
      return items.map(() => null);
    },
  };
}

function find(text: string, { format, key }: FilePlace): Variable | string {
  switch (format) {
    case 'env':
      return findVariable(text, key);
    case 'json':
      return findText(text, readPointer(key));
    case 'tfvars-json':
      return findText(text, [key]);
    case 'deploy-cli':
      return findText(text, ['AUTH0_KEYWORD_REPLACE_MAPPINGS', key]);
  }
}
