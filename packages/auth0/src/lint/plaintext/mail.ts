import type { Connection } from '../clients.ts';
import type { Values } from '../values.ts';
import { isOff, isOn, type Plaintext } from './plaintext.ts';

/** Why nodemailer sends a password without TLS, or can be made to do so. */
export function plaintextMail({ node, config }: Connection, values: Values): Plaintext | undefined {
  if (config === undefined || config.open) return undefined;
  const { entries } = config;
  // A host and a login are given. `service` and `getSocket` have their own TLS.
  if (!entries.has('host') || !entries.has('auth') || entries.has('service') || entries.has('getSocket'))
    return undefined;
  const [ignored, secure, required] = ['ignoreTLS', 'secure', 'requireTLS'].map((name) => entries.get(name));
  if (secure !== undefined && !isOff(secure, values)) return undefined;
  if (ignored !== undefined && isOn(ignored, values))
    return { id: 'off', node: ignored.node, setting: 'ignoreTLS: true' };
  const port = entries.get('port');
  const isImplicit =
    secure === undefined &&
    port !== undefined &&
    values.possible(port.value).some((value) => value.kind !== 'constant' || Number(value.value) === 465);
  if (isImplicit || (required !== undefined && !isOff(required, values))) return undefined;
  return { id: 'offered', node };
}
