import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { certificateHex, mint } from '@certpin/testkit';
import { decodeText, encodingOf } from '../../src/core/text.ts';
import { findPem } from '../../src/probe/pem.ts';
import { probe } from '../../src/probe/probe.ts';

const certificate = await mint();
const old = await mint();
const pem = certificate.certPem;
const [BEGIN, END] = ['-----BEGIN CERTIFICATE-----', '-----END CERTIFICATE-----'];
const commented = old.certPem.replace(/^(?=.)/gm, '# ');

test('a boundary is a line of its own, with blanks around it at most', () => {
  for (const text of [
    pem,
    pem.replaceAll('\n', '\r\n'),
    pem.replaceAll('\n', '\r'),
    pem.replace(/^/gm, '  \t'),
    pem.replaceAll('-----\n', '-----\t \n'),
    `# from ${BEGIN} to ${END}\n${pem}`,
    `${BEGIN} to ${END}\n${pem}`,
    `${BEGIN} here\n${pem}`,
    `${END}\n${pem}`,
    `${pem}# ${BEGIN}\n`,
    `${commented}${pem}`,
  ]) {
    const blocks = findPem(text).map(({ label, body }) => [label, body?.replace(/\s/g, '')]);
    assert.deepEqual(blocks, [['CERTIFICATE', certificate.x509.raw.toString('base64')]], text);
  }
  assert.deepEqual(findPem(`${commented}x ${pem.trim().replaceAll('\n', ' ')}`), []);
});

test('a block without its own end is cut', () => {
  const cut = pem.slice(0, 100);
  for (const text of [cut, `${cut}\n-----END X-----\n`, `${cut}\n${END} x\n`]) {
    assert.deepEqual(
      findPem(text).map(({ label, body }) => [label, body]),
      [['CERTIFICATE', undefined]],
      text,
    );
  }
  assert.deepEqual(
    findPem(`${cut}\n${pem}`).map(({ body }) => body === undefined),
    [true, false],
  );
});

test('the library reads a certificate file as the command line does', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-pem-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'server.pem');
  const read = async (content: string | Buffer): Promise<string> => {
    writeFileSync(path, content);
    const report = await probe(path);
    return report.ok ? report.certificate.sha256 : report.error.message;
  };
  const hex = certificateHex(certificate);
  assert.equal(await read(`${commented}${pem}`), hex);
  assert.equal(await read(`# from ${BEGIN} to ${END}\n${pem}`), hex);
  assert.equal(await read(Buffer.from(`\uFEFF${pem}`, 'utf16le')), hex);
  assert.match(await read(commented), /no PEM or DER certificate/);
  assert.match(await read(pem.slice(0, 100)), /no whole certificate: one has BEGIN without END/);
  assert.match(await read(pem.replace('\nMII', '\n# MII')), /not base64/);
});

test('the encoding of a text is told by its mark, or by the zero in its first character', () => {
  const little = Buffer.from('käse', 'utf16le');
  const big = Buffer.from(little).swap16();
  const texts: [Buffer, string][] = [
    [Buffer.from('käse'), 'utf-8'],
    [Buffer.from('\uFEFFkäse'), 'utf-8'],
    [little, 'utf-16le'],
    [Buffer.concat([Buffer.from([0xff, 0xfe]), little]), 'utf-16le'],
    [big, 'utf-16be'],
    [Buffer.concat([Buffer.from([0xfe, 0xff]), big]), 'utf-16be'],
  ];
  for (const [bytes, encoding] of texts) {
    assert.equal(encodingOf(bytes), encoding);
    assert.equal(decodeText(bytes), 'käse');
  }
  assert.equal(decodeText(Buffer.alloc(0)), '');
  assert.equal(decodeText(Buffer.from('0')), '0');
});
