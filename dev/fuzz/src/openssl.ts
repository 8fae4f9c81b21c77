import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NOW } from './certificates.ts';

/** Leaf, intermediate, root: DER. */
export type Chain = readonly [Buffer, Buffer, Buffer];

const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END CERTIFICATE-----\n`;

/**
 * Whether the command `openssl verify` accepts each of the chains, up to its root, for TLS servers. The security level is 2, the default of
 * OpenSSL in newer Debian. One process checks all of them, so the names of no two chains are the same.
 */
export function opensslAccepts(chains: readonly Chain[]): boolean[] {
  const folder = mkdtempSync(join(tmpdir(), 'certpin-fuzz-'));
  try {
    const write = (file: string, certificates: readonly Buffer[]): string => {
      const path = join(folder, file);
      writeFileSync(path, certificates.map(pem).join(''));
      return path;
    };
    const leafs = chains.map(([leaf], index) => write(String(index), [leaf]));
    const trusted = write(
      'trusted',
      chains.map(([, , root]) => root),
    );
    const untrusted = write(
      'untrusted',
      chains.map(([, intermediate]) => intermediate),
    );
    const flags = ['-partial_chain', '-purpose', 'sslserver', '-auth_level', '2', '-attime', String(NOW / 1_000)];
    const files = ['-no-CAfile', '-no-CApath', '-no-CAstore', '-trusted', trusted, '-untrusted', untrusted];
    const { stdout, stderr, error } = spawnSync('openssl', ['verify', ...flags, ...files, ...leafs], {
      encoding: 'utf8',
    });
    if (error !== undefined) throw error;
    const accepted = new Set(stdout.split('\n').flatMap((line) => /^(.*): OK$/.exec(line)?.[1] ?? []));
    if (accepted.size === 0 && stderr === '') throw new Error(`openssl verify says nothing: ${stdout}`);
    return leafs.map((leaf) => accepted.has(leaf));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
