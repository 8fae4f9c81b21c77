import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Minted, mint } from '@certpin/testkit';

/** A directory in which Debian's openssl makes the files of a test, and says what their hashes are. */
export interface Workshop {
  readonly path: (name: string) => string;
  readonly write: (name: string, content: string | Uint8Array) => string;
  readonly read: (name: string) => Buffer;
  /** Runs openssl in the directory; the arguments are separated by spaces. */
  readonly openssl: (command: string) => Buffer;
  /** SHA-256 of the certificate in a PEM file, as `openssl x509 -fingerprint` prints it, without colons. */
  readonly fingerprint: (name: string) => string;
  /** `sha256/BASE64` of the key in a PEM file, of what `openssl pkey -pubout` prints. */
  readonly keyPin: (name: string) => string;
}

export function openWorkshop(t: { readonly after: (fn: () => void) => void }): Workshop {
  const directory = mkdtempSync(join(tmpdir(), 'certpin-files-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = (name: string): string => join(directory, name);
  const run = (args: string[], input?: Buffer): Buffer =>
    execFileSync('openssl', args, { cwd: directory, input, stdio: ['pipe', 'pipe', 'ignore'] });
  const openssl = (command: string): Buffer => run(command.split(' '));
  return {
    path,
    write: (name, content) => {
      writeFileSync(path(name), content);
      return path(name);
    },
    read: (name) => readFileSync(path(name)),
    openssl,
    fingerprint: (name) =>
      openssl(`x509 -in ${name} -noout -fingerprint -sha256`)
        .toString()
        .trim()
        .replace(/^sha256 Fingerprint=/i, '')
        .replaceAll(':', ''),
    keyPin: (name) => {
      const spki = openssl(`pkey -in ${name} -pubout -outform DER`);
      return `sha256/${run(['dgst', '-sha256', '-binary'], spki).toString('base64')}`;
    },
  };
}

/** A root, an intermediate CA and a leaf: `root.pem`, `ca.pem`, `server.pem` and `server.key`. */
export async function mintFiles({ write }: Workshop, keyType: 'ec' | 'rsa' | 'ed25519' = 'ec'): Promise<Minted> {
  const root = await mint({ ca: true, subject: 'CN=Root' });
  const issuer = await mint({ ca: true, subject: 'CN=Issuer', issuer: root });
  const leaf = await mint({ subject: 'CN=db.example.com', issuer, keyType });
  write('root.pem', root.certPem);
  write('ca.pem', issuer.certPem);
  write('cas.pem', issuer.certPem + root.certPem);
  write('server.pem', leaf.certPem);
  write('server.key', leaf.keyPem);
  return leaf;
}
