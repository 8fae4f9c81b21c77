import { applyEdits, findNodeAtLocation, modify, type Node, type ParseError, parseTree } from 'jsonc-parser';
import type { Variable } from './env-file.ts';

/** RFC 6901: `/a/b~1c`. */
export function readPointer(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A text in a JSON file, which may have comments. @returns the text, or why it cannot be used */
export function findText(json: string, path: readonly string[]): Variable | string {
  const errors: ParseError[] = [];
  const root = parseTree(json.replace(/^\uFEFF/, ' '), errors, { allowTrailingComma: true });
  if (root === undefined || errors.length > 0) return 'it is not JSON';
  const places: (string | number)[] = [];
  let node: Node | undefined = root;
  for (const part of path) {
    if (node?.type === 'array') {
      if (!/^(?:0|[1-9]\d{0,8})$/.test(part)) return 'its key names no item of a list';
      places.push(Number(part));
    } else if (node === undefined || node.type === 'object') {
      const twins = node?.children?.filter(({ children }) => children?.[0]?.value === part) ?? [];
      if (twins.length > 1) return 'its key occurs several times';
      places.push(part);
    } else return 'its key leads through something that is not an object';
    node = findNodeAtLocation(root, places);
  }
  if (node === undefined && places.some((place) => typeof place === 'number'))
    return 'its key names no item of a list that is there';
  if (node !== undefined && node.type !== 'string') return 'the value at its key is not a text';
  const isTabbed = /^\t+"/m.test(json);
  const indent = /^( +)"/m.exec(json)?.[1]?.length ?? 2;
  const eol = /\r?\n/.exec(json)?.[0] ?? '\n';
  return {
    text: node === undefined ? undefined : String(node.value),
    replace: (text: string) => {
      const formattingOptions = { insertSpaces: !isTabbed, tabSize: isTabbed ? 1 : indent, eol };
      const bare = json.replace(/^\uFEFF/, ' ');
      const edited = applyEdits(bare, modify(bare, places, text, { formattingOptions }));
      return json.startsWith('\uFEFF') ? `\uFEFF${edited.slice(1)}` : edited;
    },
  };
}
