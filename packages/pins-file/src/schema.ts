import { readFileSync } from 'node:fs';

/** What the parser takes from the schema, so that the two cannot differ: which strings and which words are allowed. */
export interface Grammar {
  readonly target: RegExp;
  readonly servername: RegExp;
  readonly pins: readonly RegExp[];
  readonly words: Readonly<Record<'hostnameVerification' | 'expired' | 'protocol', readonly string[]>>;
}

interface Schema {
  readonly definitions: {
    readonly entry: { readonly properties: Record<string, { readonly pattern: string; readonly enum: string[] }> };
    readonly pin: { readonly anyOf: readonly { readonly pattern: string }[] };
  };
}

let grammar: Grammar | undefined;

/** Read when it is first needed. The schema lies beside the folder of the program: sources, build and the bundle of the command line are alike in that. */
export function readGrammar(): Grammar {
  grammar ??= toGrammar(JSON.parse(readFileSync(new URL('../pins.schema.json', import.meta.url), 'utf8')) as Schema);
  return grammar;
}

function toGrammar({ definitions: { entry, pin } }: Schema): Grammar {
  const pattern = (name: string): RegExp => new RegExp(entry.properties[name]?.pattern ?? '', 'u');
  const words = (name: string): readonly string[] => entry.properties[name]?.enum ?? [];
  return {
    target: pattern('target'),
    servername: pattern('servername'),
    pins: pin.anyOf.map((one) => new RegExp(one.pattern, 'u')),
    words: {
      hostnameVerification: words('hostnameVerification'),
      expired: words('expired'),
      protocol: words('protocol'),
    },
  };
}
