import { type Frame, parameters, requireOf } from '../frame.ts';
import { indent } from '../text.ts';

/** A function that makes a pool or an HTTP client once, and again when its secrets have changed. */
export interface Kept {
  /** `getPool` */
  readonly name: string;
  /** `pool`. The variables are named after it. */
  readonly what: string;
  readonly settings: readonly string[];
  /** Which one it is: an expression. */
  readonly place: string;
  /** The settings with which it was made. */
  readonly secrets: readonly string[];
  /** `const { Pool } = ` and the package. undefined: nothing to require. */
  readonly required: readonly [binding: string, module: string] | undefined;
  /** Statements that declare the variable `what`. */
  readonly make: string;
  /** A statement that ends the one before, which is `known.<what>`. undefined: its idle connections end when their server closes them. */
  readonly end: string | undefined;
}

export function keptFunction(kept: Kept, frame: Frame): string {
  const { name, what, settings, place, secrets, required, make, end } = kept;
  const inModule = frame.scope === 'module';
  const require = required === undefined || inModule ? [] : [`${required[0]}${requireOf(required[1], frame)};`];
  const body = [
    destructured(settings, inModule ? 'readSettings(secrets)' : 'readSettings()'),
    `const place = ${place};`,
    `const key = JSON.stringify([${secrets.join(', ')}]);`,
    ...(inModule ? [] : ['const kept = (global.certpinKept = global.certpinKept || {});']),
    'const known = kept[place];',
    `if (known && known.key === key) return known.${what};`,
    '',
    ...require,
    make,
    `kept[place] = { key, ${what} };`,
    ...(end === undefined ? [] : [end]),
    `return ${what};`,
  ].join('\n');
  const container = inModule ? 'this instance' : 'this container';
  return `// One for all runs in ${container}. If the pins or ${secrets[0]} change, a new one is made.
function ${name}(${parameters(frame)}) {
${indent(body)}
}`;
}

/** What is kept between the runs of a module. */
export const keptVariable = '// Lives as long as the instance: see the function that fills it.\nconst kept = {};';

function destructured(names: readonly string[], value: string): string {
  const line = `const { ${names.join(', ')} } = ${value};`;
  if (line.length <= 96) return line;
  return `const {\n${names.map((name) => `  ${name},\n`).join('')}} = ${value};`;
}
