import { visit } from 'jsonc-parser';

/** A part of a text. */
export interface TextPlace {
  readonly offset: number;
  readonly length: number;
}

/** Where the targets are in a pins file: all together, and each alone. */
export interface TargetTexts extends TextPlace {
  readonly targets: readonly TextPlace[];
}

/**
 * Finds the targets without a syntax tree, which needs twenty times the memory of the text.
 *
 * @returns undefined if there is a mistake in the JSON, or if `targets` is not a list of objects. Then the whole text must be read, to find
 * the mistake
 */
export function findTargetTexts(text: string): TargetTexts | undefined {
  const targets: TextPlace[] = [];
  let begin = 0;
  let end = 0;
  let depth = 0;
  let key = '';
  let begun = 0;
  let isPlain = true;
  const isInList = (): boolean => begin > 0 && end === 0 && depth === 2;
  try {
    visit(
      text.replace(/^\uFEFF/, ' '),
      {
        onError: () => {
          isPlain = false;
        },
        onObjectProperty: (name) => {
          if (depth === 1) key = name;
        },
        onLiteralValue: () => {
          if (isInList()) isPlain = false;
        },
        onObjectBegin: (offset) => {
          if (isInList()) begun = offset;
          depth++;
        },
        onObjectEnd: (offset, length) => {
          depth--;
          if (isInList()) targets.push({ offset: begun, length: offset + length - begun });
        },
        onArrayBegin: (offset, length) => {
          if (isInList() || (depth === 1 && key === 'targets' && begin > 0)) isPlain = false;
          if (depth === 1 && key === 'targets') begin = offset + length;
          depth++;
        },
        onArrayEnd: (offset) => {
          if (isInList()) end = offset;
          depth--;
        },
      },
      { allowTrailingComma: true },
    );
  } catch {
    return undefined; // Nested too deeply.
  }
  return isPlain && end > 0 ? { offset: begin, length: end - begin, targets } : undefined;
}

/**
 * The text with a comment of the same length in place of the targets. The parser joins white space character by character, which needs
 * thirty times the memory of the text.
 */
export function blank(text: string, { offset, length }: TextPlace): string {
  const nothing = length < 4 ? ' '.repeat(length) : `/*${' '.repeat(length - 4)}*/`;
  return `${text.slice(0, offset)}${nothing}${text.slice(offset + length)}`;
}
