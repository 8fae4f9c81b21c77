import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { certificateHex, longOnly, type Minted, mint, startTlsServer } from '@certpin/testkit';
import { certpin } from './transcript.ts';

const page = readFileSync(new URL('../../../docs/walkthroughs/many-servers.md', import.meta.url), 'utf8');

/** 300 names, and one listener that presents the certificate of each. */
async function startFleet(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-fleet-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const certificates = new Map<string, Minted>();
  const plain = await mint({ validToDays: 300 });
  const server = await startTlsServer({
    certificate: plain,
    SNICallback: (name, done) => {
      const { certPem: cert, keyPem: key } = certificates.get(name) ?? plain;
      done(null, createSecureContext({ cert, key }));
    },
  });
  t.after(server.close);
  const present = (host: string, certificate: Minted): void => {
    certificates.set(`${host}.example.com`, certificate);
  };
  const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  return { folder, plain, server, present, put };
}

/** The commands of the page with what they print, in their order. */
function readCommands(): { readonly command: string; readonly printed: string }[] {
  const blocks = [...page.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  return blocks
    .filter((block) => block.startsWith('$ '))
    .flatMap((block) => block.split(/^\$ /m).slice(1))
    .map((text) => {
      const end = text.indexOf('\n');
      return { command: text.slice(0, end), printed: text.slice(end + 1) };
    });
}

/** `…` is any lines; days and dates are those of the day. */
function toPattern(printed: string): RegExp {
  const escaped = printed.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const loose = escaped
    .replace(/\d+ days left/g, '\\d+ days left')
    .replace(/since \d{4}-\d\d-\d\d/g, 'since \\d{4}-\\d\\d-\\d\\d');
  return new RegExp(`^${loose.replace(/^ *…\n/gm, '(?:.*\\n)*?')}$`);
}

test('docs/walkthroughs/many-servers.md: every command does what the page says', longOnly, async (t) => {
  const { folder, plain, server, present, put } = await startFleet(t);
  const [next, other] = [await mint({ validToDays: 300 }), await mint({ subject: 'CN=db-203', validToDays: 300 })];
  const port = String(server.port).padStart(4, '0');
  const hosts = Array.from(
    { length: 300 },
    (_, index) => `tls://db-${String(index + 1).padStart(3, '0')}.example.com:${port}`,
  );
  put('hosts.txt', `${hosts.join('\n')}\n`);
  put('next.crt', next.certPem);
  put('db-203.crt', other.certPem);
  const hashes = {
    '9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08': certificateHex(plain),
    '3B1F0C0D9C2E4A557D7B6E1F0A2C4E6890ABCDEF1234567890ABCDEF12345678': certificateHex(next),
    '77E1A0B2C3D4E5F60718293A4B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6D7E': certificateHex(other),
  };
  // With its colon: the digits alone may stand in a hash.
  const names: [shown: string, real: string][] = [...Object.entries(hashes), [':8443', `:${port}`]];
  for (const file of ['hosts.txt', 'next.crt', 'db-203.crt', 'certpin.json', 'certpin.prom']) {
    names.push([` ${file}`, ` ${join(folder, file)}`]);
  }
  const toReal = (text: string): string => names.reduce((shown, [name, real]) => shown.replaceAll(name, real), text);
  const toShown = (text: string): string => names.reduce((real, [name, value]) => real.replaceAll(value, name), text);
  const lookup: NonNullable<Parameters<typeof certpin>[1]>['lookup'] = (_, { all }, done) =>
    all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);
  // What happens between the commands.
  const before: Record<string, () => void> = {
    'certpin trust db-017.example.com:8443 --replace --yes --quiet': () => present('db-017', next),
    'certpin check --file certpin.json --problems --openmetrics certpin.prom': () => {
      if (isPlanned) present('db-203', other);
    },
  };
  let isPlanned = false;
  let code = 0;
  for (const { command, printed } of readCommands()) {
    if (command === 'echo $?') {
      assert.equal(String(code), printed.trim());
      continue;
    }
    before[command]?.();
    isPlanned ||= command.includes('--replace');
    const argv = (toReal(`${command} `).match(/"[^"]*"|\S+/g) ?? []).slice(1).map((word) => word.replaceAll('"', ''));
    const isTrust = argv[0] === 'trust';
    const said = await certpin(isTrust ? [...argv, '--file', join(folder, 'certpin.json')] : argv, { lookup });
    ({ code } = said);
    assert.match(toShown(`${said.stdout}${said.stderr}`), toPattern(printed), command);
    const isRefusal = /^(?:drift|revoked):/m.test(printed);
    assert.equal(code, isRefusal ? 1 : 0, `${command}: ${said.stderr}`);
  }
  assert.equal(server.received(), 0);
});
