import { CertpinError } from 'certpin';
import { NOT_LOOPBACK } from '../loopback.ts';
import { StoreError } from './store-error.ts';

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: a connection, resources, an operator, a crossing, a lock. */
const MAY_PASS = /^(?:08|53|57|40|55P03|25006)/;

/** What the code says, where the server's own words are none for an administrator. */
const words: Readonly<Record<string, string>> = {
  '28P01': 'the server refuses the password',
  '28000': 'the server refuses this user',
  '3D000': 'there is no such database',
  '42501': 'this user may not do that: it has to own the schema certpin, or may create it in the database',
  '53100': 'the disk of the server is full',
  '53300': 'the server takes no more connections',
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'the name of its server is not known',
};

/** The driver's own errors have no code. */
const CONNECTION = /^(?:Connection terminated|Client has encountered|Client was closed|timeout e|Query read timeout)/;

/** What the driver threw, in words for an administrator; what came from elsewhere stays as it is. */
export function toStoreError(error: unknown, name: string): unknown {
  if (error instanceof StoreError || !(error instanceof Error)) return error;
  if (error instanceof SyntaxError) {
    const message = `${name}: something in it cannot be read, so somebody else has written to it`;
    return new StoreError(message, false, { cause: error });
  }
  const { code = '' } = error as { code?: unknown };
  const text = String(code);
  if (text === NOT_LOOPBACK) return new StoreError(`${name}: ${error.message}`, false, { cause: error });
  const isServers = /^[\dA-DF-Z][\dA-Z]{4}$/.test(text);
  // The network, or a certificate that none of the pins holds: another one may be presented later.
  const isWay =
    /^E[A-Z]+$/.test(text) || error instanceof CertpinError || (text === '' && CONNECTION.test(error.message));
  if (!isServers && !isWay) return error;
  const mayPass = isWay || MAY_PASS.test(text);
  return new StoreError(`${name}: ${words[text] ?? error.message}`, mayPass, { cause: error });
}
