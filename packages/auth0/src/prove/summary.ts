import type { CertpinErrorCode } from 'certpin';
import type { ConsoleLine, RunResult } from '../run/result.ts';
import { refusals } from '../run/triggers.ts';
import type { RunSummary } from './report.ts';

/** What certpin says about a connection, or about the options for it. */
const codes: readonly CertpinErrorCode[] = [
  'ERR_PIN_MISMATCH',
  'ERR_PIN_UNCHECKABLE',
  'ERR_CHAIN_INVALID',
  'ERR_CERTIFICATE_EXPIRED',
  'ERR_CERTIFICATE_NOT_YET_VALID',
  'ERR_HOSTNAME_MISMATCH',
  'ERR_CA_UNTRUSTED',
  'ERR_TLS_VERSION',
  'ERR_HOST_UNPINNED',
  'ERR_UPGRADE_REFUSED',
  'ERR_UPGRADE_UNEXPECTED',
  'ERR_UPGRADE_INJECTED',
  'ERR_PROXY_REFUSED',
  'ERR_PLAINTEXT_REFUSED',
  'ERR_CONNECT_TIMEOUT',
  'ERR_CONNECTION_CLOSED',
  'ERR_PIN_INVALID',
  'ERR_OPTION_INVALID',
  'ERR_CLIENT_UNSUPPORTED',
];

/** Codes of Node and its modules, of OpenSSL's verification, and of MySQL, anywhere in a text. */
const CODE =
  /\b(?:ERR_[A-Z][A-Z0-9_]+|ER_[A-Z][A-Z0-9_]+|E(?:ACCES|ADDR|AI_|CONN|HOST|INVAL|NET|NOTFOUND|PIPE|PROTO|SOCKET|TIMEDOUT|LOGIN)[A-Z_]*|(?:SELF_SIGNED|DEPTH_ZERO|UNABLE_TO|CERT_)[A-Z_]+|MODULE_NOT_FOUND|HANDSHAKE_SSL_ERROR|PROTOCOL_[A-Z_]+)\b/;

/** PostgreSQL's codes are five letters and digits. They count only in the place of a code, and not in a sentence. */
const SQLSTATE = /(?:\bcode: '|\bfailed: |\[)([0-9A-Z]{5})(?='|: |\])/;

/** How many of the last lines a summary keeps. */
const LINES = 5;

/** The part of a run that shows its outcome. */
export function summarize({ status, outcome, calls, findings, console }: RunResult): RunSummary {
  const error = outcome.type === 'callback' || outcome.type === 'exception' ? outcome.error : null;
  // A script can put anything there.
  const { name = 'Error', code = null, message = '' }: Record<string, unknown> = error ?? {};
  const texts = { name: String(name), code: code === null ? null : String(code), message: String(message).trim() };
  const said = [texts.code ?? '', ...console.map(({ text }) => text)].flatMap((text) => text.match(/\bERR_\w+/g) ?? []);
  const certpinCode = codes.find((one) => said.includes(one)) ?? null;
  const own = texts.code !== null && CODE.test(texts.code) ? texts.code : null;
  return {
    ...{ status, error: error && texts, certpinCode },
    causeCode: certpinCode ?? own ?? printedCode(console) ?? CODE.exec(texts.message)?.[0] ?? null,
    refusedBy: calls.find(({ method }) => refusals.includes(method))?.method ?? null,
    printed: console.slice(-LINES).map(({ text }) => text),
    findings,
  };
}

/** The last code that was printed: the final error comes last. */
function printedCode(console: readonly ConsoleLine[]): string | undefined {
  return console.flatMap(({ text }) => SQLSTATE.exec(text)?.[1] ?? CODE.exec(text)?.[0] ?? []).at(-1);
}
