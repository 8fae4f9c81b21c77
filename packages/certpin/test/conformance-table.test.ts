import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type ConformanceCase, ConformanceFailure, type SuiteAdapter } from '@certpin/testkit/conformance';
import { ConformanceTable } from '@certpin/testkit/conformance-table';

// The accident this prevents: the page says that a case passed which failed, or which nobody ran.
const folder = mkdtempSync(join(tmpdir(), 'certpin-conformance-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const page = join(folder, 'conformance.md');

const [one, two] = ['one', 'two'].map((name) => ({ name }) as SuiteAdapter) as [SuiteAdapter, SuiteAdapter];
const connects: ConformanceCase = { name: 'connects', run: async () => undefined };
const refuses: ConformanceCase = { name: 'refuses', run: async (adapter) => adapter.onWrongServer(0) };
const leaks: ConformanceCase = {
  name: 'refuses',
  run: async (adapter) => {
    adapter.onWrongServer(0);
    adapter.onWrongServer(24);
    throw new ConformanceFailure('leaked', '24 application bytes reached the wrong server');
  },
};

/** A table in which `one` has run both cases, and `two` has run these. */
async function tableWith(...cases: readonly ConformanceCase[]): Promise<ConformanceTable> {
  const table = new ConformanceTable([one, two], [connects, refuses]);
  for (const suiteCase of [connects, refuses]) await table.run(one, suiteCase);
  for (const suiteCase of cases) await table.run(two, suiteCase).catch(() => undefined);
  return table;
}

describe('a whole run', () => {
  test('writes the page and fails, where it is missing or differs; the next run has nothing to say', async () => {
    for (const before of [undefined, 'an older table']) {
      rmSync(page, { force: true });
      if (before !== undefined) writeFileSync(page, before);
      const [first, second] = [await tableWith(connects, refuses), await tableWith(connects, refuses)];
      assert.throws(() => first.publish(page), /it has been rewritten: commit it$/);
      second.publish(page);
    }
    const text = readFileSync(page, 'utf8');
    assert.match(text, /^\| case \| one \| two \|$/m);
    assert.match(text, /^\| connects \| ✓ \| ✓ \|$/m);
    assert.match(text, /^\| refuses \| 0 B \| 0 B \|$/m);
    assert.match(text, /^\| \*\*exchanges with wrong servers\*\* \| 1 \| 1 \|$/m);
    assert.match(text, /^\| \*\*bytes that they received\*\* \| \*\*0\*\* \| \*\*0\*\* \|$/m);
  });

  test('is the same table each time', async () => {
    assert.equal((await tableWith(connects, refuses)).toMarkdown(), (await tableWith(refuses, connects)).toMarkdown());
  });
});

describe('what a client cannot express', () => {
  const chooses: ConformanceCase = { ...refuses, name: 'chooses', needs: ['host header'] };
  const mute = { name: 'two', cannot: { 'host header': 'it has no headers' } } as object as SuiteAdapter;

  test('stands below the table, with its reason, and the rest of the run is a whole one', async () => {
    const table = new ConformanceTable([one, mute], [connects, chooses]);
    for (const suiteCase of [connects, chooses]) await table.run(one, suiteCase);
    assert.equal(table.isPartial(), true);
    await table.run(mute, connects);
    assert.equal(table.isPartial(), false);
    assert.match(table.toMarkdown(), /^\| chooses \| 0 B \| n\/a \|$/m);
    assert.match(table.toMarkdown(), /^- two: it has no headers\. Not run: “chooses”\.$/m);
    assert.match(table.toText(), /^n\/a two: it has no headers\. Not run: “chooses”\.$/m);
  });

  test('is none of a case that needs nothing of it, and no excuse for one that failed', async () => {
    const table = new ConformanceTable([one, mute], [refuses, chooses]);
    await table.run(one, refuses);
    await table.run(one, { ...leaks, name: 'chooses' }).catch(() => undefined);
    assert.equal(table.isPartial(), true);
    await table.run(mute, refuses);
    assert.throws(() => table.publish(page), /not every case has passed/);
  });
});

describe('a run that shows less than the page leaves it alone', () => {
  test('a case that failed is seen in what is printed, with its bytes', async () => {
    const table = await tableWith(connects, leaks);
    writeFileSync(page, 'the page');
    assert.throws(() => table.publish(page), /not every case has passed/);
    assert.equal(readFileSync(page, 'utf8'), 'the page');
    assert.match(table.toText(), /^ +0 B +✗ 24 B {2}refuses$/m);
    assert.match(table.toText(), /^ +0 +24 {2}bytes that they received$/m);
    assert.match(table.toText(), /^✗ two, refuses: leaked: 24 application bytes reached the wrong server$/m);
  });

  test('bytes at a wrong server are a failure, though the case went through', async () => {
    const quiet: ConformanceCase = { name: 'refuses', run: async (adapter) => adapter.onWrongServer(24) };
    const table = await tableWith(connects, quiet);
    assert.throws(() => table.publish(page), /not every case has passed/);
    assert.match(table.toText(), /✗ 24 B {2}refuses$/m);
  });

  test('a case that was not run, or has not ended, is none that passed', async () => {
    rmSync(page, { force: true });
    const hangs: ConformanceCase = { name: 'refuses', run: () => new Promise(() => undefined) };
    const hanging = await tableWith(connects);
    void hanging.run(two, hangs);
    for (const table of [await tableWith(connects), await tableWith(), hanging]) {
      assert.equal(table.isPartial(), true);
      assert.throws(() => table.publish(page), /not every case has passed/);
      assert.match(table.toText(), /^ +0 B +– {2}refuses$/m);
    }
    assert.equal(existsSync(page), false);
    assert.equal((await tableWith(connects, refuses)).isPartial(), false);
  });

  test('a case that fails rejects as before', async () => {
    const table = new ConformanceTable([one], [refuses]);
    await assert.rejects(table.run(one, leaks), { kind: 'leaked' });
  });
});

describe('an adapter that does not run on this Node', () => {
  const absent = { name: 'two', notOnThisNode: 'it needs a newer one' } as SuiteAdapter;
  async function tableOf(two: SuiteAdapter, ...cases: readonly ConformanceCase[]): Promise<ConformanceTable> {
    const table = new ConformanceTable([one, two], [connects, refuses]);
    for (const suiteCase of [connects, refuses]) await table.run(one, suiteCase);
    for (const suiteCase of cases) await table.run(two, suiteCase).catch(() => undefined);
    return table;
  }

  test('keeps its column of the page, and the summary says why', async () => {
    rmSync(page, { force: true });
    const [elsewhere, here] = [await tableOf(two, connects, refuses), await tableOf(absent)];
    assert.throws(() => elsewhere.publish(page), /it has been rewritten/);
    assert.equal(here.isPartial(), false);
    here.publish(page);
    assert.match(readFileSync(page, 'utf8'), /^\| refuses \| 0 B \| 0 B \|$/m);
    assert.match(here.toText(), /^not on this Node: two: it needs a newer one$/m);
    // On the other Node the column is a column like the others.
    writeFileSync(page, readFileSync(page, 'utf8').replace('| refuses | 0 B | 0 B |', '| refuses | 0 B | ✓ |'));
    here.publish(page);
    assert.throws(() => elsewhere.publish(page), /it has been rewritten/);
    assert.match(readFileSync(page, 'utf8'), /^\| refuses \| 0 B \| 0 B \|$/m);
  });

  test('has no column of its own making: a page without it stays as it is', async () => {
    const here = await tableOf(absent);
    for (const before of [undefined, 'a page', '| case | one | two |\n| connects | ✓ | ✓ |\n']) {
      rmSync(page, { force: true });
      if (before !== undefined) writeFileSync(page, before);
      assert.throws(() => here.publish(page), /no cell for two/);
      assert.equal(existsSync(page) ? readFileSync(page, 'utf8') : undefined, before);
    }
  });

  test('excuses nobody else', async () => {
    const table = new ConformanceTable([one, absent], [connects, refuses]);
    assert.equal(table.isPartial(), true);
    assert.throws(() => table.publish(page), /not every case has passed/);
  });
});
