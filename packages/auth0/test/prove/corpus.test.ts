import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { rightCases } from './corpus/right.ts';
import { type Case, openSite, type Site } from './corpus/site.ts';
import { wrongCases } from './corpus/wrong.ts';

// A sample of the corpus: each is a proof of twenty runs. `npm run corpus:prove` takes all of it.

const wrongNames: readonly string[] = ['tls: says success whatever happens'];
const rightNames: readonly string[] = ['checkServerIdentity behind what Node trusts, https'];

describe('the corpus', { concurrency: 2 }, () => {
  let site: Site;
  before(async () => {
    site = await openSite();
  });
  after(() => site.close());
  const find = (cases: readonly Case[], name: string): Case => {
    const found = cases.find((one) => one.name === name);
    assert.ok(found, name);
    return found;
  };

  it('has two hundred scripts that pin wrongly, and fifty that pin', () => {
    const sizes = [wrongCases, rightCases].map((make) => new Set(make(site).map(({ name }) => name)).size);
    assert.ok((sizes[0] ?? 0) >= 200 && (sizes[1] ?? 0) >= 50, sizes.join());
  });

  for (const name of wrongNames) {
    it(`not held: ${name}`, async () => {
      const { finding, control, reasons } = await site.prove(find(wrongCases(site), name));
      assert.equal(control.status, 'success', reasons.join('\n'));
      assert.equal(finding, name.includes('says success') ? 'unproved' : 'leaked', reasons.join('\n'));
    });
  }

  for (const name of rightNames) {
    it(`held: ${name}`, async () => {
      const { finding, reasons } = await site.prove(find(rightCases(site), name));
      assert.deepEqual([finding, reasons], ['held', []]);
    });
  }
});
