import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lintText, rules } from '../../src/lint/index.ts';
import { samples } from './corpus.ts';

describe('every rule', () => {
  for (const { name } of rules) {
    const own = samples.filter(({ rule }) => rule === name);
    for (const { title, isWrong, path, code, faults } of own) {
      it(`${name}: ${isWrong ? 'finds' : 'leaves alone'}: ${title}`, () => {
        const { findings, error } = lintText(code, { path, rules: [name] });
        assert.equal(error, undefined);
        assert.deepEqual([...new Set(findings.map(({ line }) => line))], faults);
        assert.equal(faults.length > 0, isWrong);
      });
    }
  }
});
