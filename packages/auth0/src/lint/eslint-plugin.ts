import { readFileSync } from 'node:fs';
import { maskMarkers } from './markers.ts';
import { isBareFunction } from './parse.ts';
import type { Rule } from './rule.ts';
import { rules } from './rules.ts';

/** A message of ESLint, as far as its place is concerned. */
interface Message {
  line: number;
  column: number;
  endLine?: number | undefined;
  endColumn?: number | undefined;
  fix?: Fix | undefined;
  suggestions?: { fix: Fix }[] | undefined;
}

interface Fix {
  range: [number, number];
  text: string;
}

/** The files in parentheses between `preprocess` and `postprocess`. ESLint calls these two one after the other. */
const parenthesized = new Set<string>();

/**
 * Turns a script of Auth0 into something that ESLint can parse. Markers of the Deploy CLI become names, and a function without a name gets
 * parentheses. Every finding stays at its place.
 */
const script = {
  meta: { name: 'certpin/script' },
  supportsAutofix: true,
  preprocess(text: string, filename: string): string[] {
    const masked = maskMarkers(text);
    parenthesized.delete(filename);
    if (!isBareFunction(masked)) return [masked];
    parenthesized.add(filename);
    return [`(${masked.replace(/;(?=\s*$)/, ' ')}\n)`];
  },
  postprocess<Any extends Message>([messages = []]: Any[][], filename: string): Any[] {
    return parenthesized.has(filename) ? messages.map(withoutParenthesis) : messages;
  },
};

function withoutParenthesis<Any extends Message>(message: Any): Any {
  const { line, column, endLine, endColumn, fix, suggestions } = message;
  const moved = ({ range: [start, end], text }: Fix): Fix => ({ range: [start - 1, end - 1], text });
  return {
    ...message,
    column: line === 1 ? column - 1 : column,
    ...(endColumn === undefined ? {} : { endColumn: endLine === 1 ? endColumn - 1 : endColumn }),
    ...(fix === undefined ? {} : { fix: moved(fix) }),
    ...(suggestions === undefined ? {} : { suggestions: suggestions.map((one) => ({ ...one, fix: moved(one.fix) })) }),
  };
}

/**
 * The plugin for ESLint's flat configuration:
 *
 * ```js
 * import { plugin as certpin } from '@certpin/auth0/eslint-plugin';
 * export default [certpin.configs.recommended, certpin.configs.scripts];
 * ```
 *
 * `recommended` has every rule. `scripts` reads the files of the Deploy CLI, which are not JavaScript before they are deployed.
 */
export const plugin: Plugin = createPlugin();

interface Plugin {
  readonly meta: { readonly name: string; readonly version: string };
  readonly rules: Record<string, Rule>;
  readonly processors: Record<'script', typeof script>;
  readonly configs: { readonly recommended: Config; readonly scripts: object };
}

interface Config {
  readonly name: string;
  readonly plugins: object;
  readonly rules: Record<string, 'error' | 'warn'>;
}

function createPlugin(): Plugin {
  const recommended: Config & { plugins: object } = {
    name: 'certpin/recommended',
    plugins: {},
    rules: Object.fromEntries(
      rules.map(({ name, severity }) => [`certpin/${name}`, severity === 'error' ? 'error' : 'warn']),
    ),
  };
  const scripts = {
    name: 'certpin/scripts',
    files: ['database-connections', 'databases', 'actions', 'action-modules', 'rules', 'hooks'].map(
      (folder) => `**/${folder}/**/*.js`,
    ),
    processor: script,
    languageOptions: { sourceType: 'commonjs' },
  };
  const made = {
    meta: { name: '@certpin/auth0', version: readVersion() },
    rules: Object.fromEntries(rules.map((rule) => [rule.name, rule])),
    processors: { script },
    configs: { recommended, scripts },
  };
  recommended.plugins = { certpin: made };
  return made;
}

function readVersion(): string {
  return (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string })
    .version;
}
