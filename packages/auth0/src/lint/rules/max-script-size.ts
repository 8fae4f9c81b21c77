import { defineRule, type Rule } from '../rule.ts';

/** Auth0's limit, without npm packages. The documentation says 100 kB; the smaller reading of it is held. */
const LIMIT = 100_000;

export const maxScriptSize: Rule = defineRule({
  name: 'max-script-size',
  severity: 'error',
  description: 'A script that is larger than Auth0 accepts',
  messages: {
    large: {
      happens: 'The script has {{bytes}} bytes, and Auth0 accepts no more than {{limit}}.',
      instead: 'Remove code that a package can do, and data that can be read from elsewhere.',
    },
  },
  create({ sourceCode, script, report }) {
    return {
      Program(node) {
        const bytes = Buffer.byteLength(sourceCode.text);
        if (script.kind !== 'other' && bytes > LIMIT)
          report(node, 'large', { data: { bytes: String(bytes), limit: String(LIMIT) } });
      },
    };
  },
});
