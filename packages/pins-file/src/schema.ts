import { readFileSync } from 'node:fs';
import { formatPin, parsePin } from 'certpin';

/** What the parser takes from the schema, so that the two cannot differ: the allowed strings and words. */
export interface Grammar {
  readonly target: RegExp;
  readonly servername: RegExp;
  /** Why the text is not a pin of a pins file. undefined: it is one. */
  readonly refusePin: (text: string) => string | undefined;
  readonly id: RegExp;
  readonly since: RegExp;
  /** Every kind of place, and every format of a file. */
  readonly places: readonly PlaceGrammar[];
  readonly words: Readonly<Record<'hostnameVerification' | 'expired' | 'protocol', readonly string[]>>;
}

interface PlaceGrammar {
  /** Keys with one value each: `kind`, `format`.. */
  readonly words: Readonly<Record<string, string>>;
  readonly patterns: Readonly<Record<string, RegExp>>;
  /** Keys with a list of words. */
  readonly lists: readonly string[];
}

interface Field {
  readonly const?: string;
  readonly pattern?: string;
  readonly type?: string;
}

interface Schema {
  readonly definitions: {
    readonly entry: { readonly properties: Record<string, { readonly pattern: string; readonly enum: string[] }> };
    readonly id: { readonly pattern: string };
    readonly since: { readonly pattern: string };
    readonly place: { readonly oneOf: readonly { readonly properties: Record<string, Field> }[] };
    readonly pin: { readonly anyOf: readonly { readonly pattern: string }[] };
  };
}

let grammar: Grammar | undefined;

/**
 * Read when it is first needed. The schema is next to the folder of the program. That is true for the sources, the build, and the bundle of
 * the command line.
 */
export function readGrammar(): Grammar {
  grammar ??= toGrammar(JSON.parse(readFileSync(new URL('../pins.schema.json', import.meta.url), 'utf8')) as Schema);
  return grammar;
}

function toGrammar({ definitions: { entry, pin, id, since, place } }: Schema): Grammar {
  const pattern = (name: string): RegExp => new RegExp(entry.properties[name]?.pattern ?? '', 'u');
  const words = (name: string): readonly string[] => entry.properties[name]?.enum ?? [];
  return {
    target: pattern('target'),
    servername: pattern('servername'),
    refusePin: createPinCheck(pin.anyOf.map((one) => new RegExp(one.pattern, 'u'))),
    id: new RegExp(id.pattern, 'u'),
    since: new RegExp(since.pattern, 'u'),
    places: place.oneOf.map(toPlaceGrammar),
    words: {
      hostnameVerification: words('hostnameVerification'),
      expired: words('expired'),
      protocol: words('protocol'),
    },
  };
}

/** A pin in the spelling that certpin writes. What else it may be, the policy reads once more: this is for files of a hundred thousand of them. */
const PLAIN = /^[0-9A-F]{64}$/;

function createPinCheck(spellings: readonly RegExp[]): Grammar['refusePin'] {
  return (text) => {
    if (PLAIN.test(text)) return undefined;
    try {
      const pin = parsePin(text);
      if (spellings.some((pattern) => pattern.test(text))) return undefined;
      return `in a pins file, this pin is written ${formatPin(pin)}`;
    } catch (error) {
      return (error as Error).message.replace(/^pin \d+ cannot be used/, 'the pin cannot be used');
    }
  };
}

function toPlaceGrammar({ properties }: { readonly properties: Record<string, Field> }): PlaceGrammar {
  const fields = Object.entries(properties);
  return {
    words: Object.fromEntries(fields.flatMap(([key, { const: word }]) => (word === undefined ? [] : [[key, word]]))),
    patterns: Object.fromEntries(
      fields.flatMap(([key, { pattern }]) => (pattern === undefined ? [] : [[key, new RegExp(pattern, 'u')]])),
    ),
    lists: fields.flatMap(([key, { type }]) => (type === 'array' ? [key] : [])),
  };
}
