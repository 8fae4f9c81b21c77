import { MAX_SCRIPT_BYTES } from '../../platform/script-size.ts';
import { defineRule, type Rule } from '../rule.ts';

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
        if (script.kind !== 'other' && bytes > MAX_SCRIPT_BYTES)
          report(node, 'large', { data: { bytes: String(bytes), limit: String(MAX_SCRIPT_BYTES) } });
      },
    };
  },
});
