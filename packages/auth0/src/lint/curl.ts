import type { CallExpression, Node } from 'estree';
import { unwrap } from './ast.ts';
import type { Values } from './values.ts';

/** The option with which a child process of curl verifies nothing; with a pin beside it, it verifies that. */
export function insecureCurl(node: CallExpression, values: Values): string | undefined {
  const module = values.moduleOf(node.callee as Node);
  const [first, second] = node.arguments;
  if (module?.name !== 'child_process' || first === undefined) return undefined;
  const words = [...wordsOf(first, values), ...listOf(second).flatMap((argument) => wordsOf(argument, values))];
  if (!/(?:^|\/)curl$/.test(words[0] ?? '') || words.some((word) => word.startsWith('--pinnedpubkey')))
    return undefined;
  if (words.includes('--insecure')) return '--insecure';
  // Short options without a value may come before it: -sSk
  return words.some((word) => /^-[aBfgGiIjJlLMnNOpqRsSvVZ#\d]*k/.test(word)) ? '-k' : undefined;
}

function wordsOf(node: Node, values: Values): string[] {
  const value = values.of(node);
  return value.kind === 'text' ? value.text.trim().split(/\s+/) : [];
}

function listOf(node: Node | undefined): Node[] {
  const list = node && unwrap(node);
  return list?.type === 'ArrayExpression' ? list.elements.filter((element) => element !== null) : [];
}
