import { execFile } from 'node:child_process';

/** SHA-256 of a certificate in a PEM file, by `openssl x509`, without colons. */
export function fingerprintOfFile(file: string): Promise<string> {
  return run(['x509', '-in', file, ...fingerprint]).then(readFingerprint);
}

/**
 * SHA-256 of the certificate that a server on this machine presents, as the usual pipe of two commands finds it, without colons.
 *
 * @param protocol what `-starttls` calls it; `direct`: TLS from the first byte
 */
export async function fingerprintOfServer(port: number, protocol: string): Promise<string> {
  const starttls = protocol === 'direct' ? [] : ['-starttls', protocol, '-name', 'localhost'];
  const connect = ['s_client', '-connect', `127.0.0.1:${port}`, '-servername', 'localhost', ...starttls];
  return readFingerprint(await run(['x509', ...fingerprint], await run(connect)));
}

const fingerprint = ['-noout', '-fingerprint', '-sha256'];

/** Longest time for one command, in milliseconds. */
const LIMIT_MS = 15_000;

/** What the command prints, whatever its exit code: `s_client` has one for a connection that ends before its input does. */
function run(args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile('openssl', args, { timeout: LIMIT_MS }, (error, stdout, stderr) => {
      if (stdout !== '') resolve(stdout);
      else reject(new Error(`openssl ${args.join(' ')}: ${stderr}`, { cause: error }));
    });
    child.stdin?.on('error', () => undefined); // x509 reads no further than the certificate
    child.stdin?.end(input);
  });
}

function readFingerprint(text: string): string {
  const found = /^sha256 Fingerprint=((?:[0-9A-F]{2}:){31}[0-9A-F]{2})$/im.exec(text)?.[1];
  if (found === undefined) throw new Error(`openssl printed no fingerprint: ${text}`);
  return found.replaceAll(':', '');
}
