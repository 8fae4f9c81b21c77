import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { svgOf } from '../src/chart.ts';
import { figure } from '../src/figure.ts';
import { alternate, inParallel, spreadOf } from '../src/measure.ts';
import { pageOf } from '../src/page.ts';

describe('a figure', () => {
  const of = (median: number, target: { atLeast: number } | { atMost: number }) =>
    figure({ name: 'start', what: 'x', peer: 'y', ratio: { low: 0, median, high: 9 }, target });

  it('is met at its target, and not on the other side of it', () => {
    assert.deepEqual(
      [1.9, 2, 2.1].map((ratio) => of(ratio, { atLeast: 2 }).met),
      [false, true, true],
    );
    assert.deepEqual(
      [0.9, 1, 1.1].map((ratio) => of(ratio, { atMost: 1 }).met),
      [true, true, false],
    );
  });

  it('that is not met stands in the page with its reason', () => {
    const missed = figure({
      ...of(3, { atMost: 1.6 }),
      what: 'certpin get, one target',
      ratio: { low: 2, median: 3, high: 4 },
    });
    const page = pageOf([missed], []);
    assert.match(page, /\| certpin get, one target \| y \| 3 \| 2 to 4 \| at most 1\.6 \| no \|/);
    assert.match(page, /the target is not met\.\*\* Node/);
  });
});

describe('a comparison', () => {
  it('measures both sides as often, in turn, and neither first always', async () => {
    const calls: string[] = [];
    const side = (name: string) => async () => void calls.push(name);
    await alternate({ ours: side('ours'), peer: side('peer'), count: 1, rounds: 3 });
    assert.deepEqual(calls, ['ours', 'peer', 'ours', 'peer', 'peer', 'ours', 'ours', 'peer']);
  });

  it('takes median and quartiles', () => {
    assert.deepEqual(spreadOf([5, 1, 4, 2, 3]), { low: 2, median: 3, high: 4 });
    assert.deepEqual(spreadOf([1, 2]), { low: 1.25, median: 1.5, high: 1.75 });
    assert.throws(() => spreadOf([]), RangeError);
  });

  it('does as much as it is told, and no more at a time', async () => {
    let [running, most, done] = [0, 0, 0];
    await inParallel(10, 3, async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      done++;
    });
    assert.deepEqual([most, done], [3, 10]);
  });
});

it('a chart holds a point for each value', () => {
  const points = [
    ['1', 1],
    ['10', 1.2],
    ['100', 1.9],
  ] as const;
  const svg = svgOf({ id: 'x', title: 'T', x: 'x', y: 'y', series: [{ label: 'l', points }] });
  assert.equal(svg.match(/<circle /g)?.length, 3);
  assert.match(svg, /^<svg [^>]+>\n<title>T<\/title>/);
});
