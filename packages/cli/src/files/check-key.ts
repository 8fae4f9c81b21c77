import { formatPin, type Pin, type Policy } from 'certpin';
import { printable } from '../io.ts';
import { FileError } from './file-error.ts';
import type { KeyPin } from './key-pin.ts';

/** Whether the pins hold for every certificate that is made with a key. */
export interface KeyFinding {
  readonly matched: Pin | undefined;
  readonly explanation: string;
}

/** @throws FileError if the pins cannot decide: only pins on a public key say something about a key */
export function checkKey(label: string, key: KeyPin, policy: Policy): KeyFinding {
  const pins = policy.pins.filter(({ kind }) => kind === 'public-key');
  const what = `${key.source} (${key.algorithm})`;
  if (pins.length === 0) {
    throw new FileError(
      `it holds a ${what} and no certificate: only a public-key pin (sha256/…) can be compared with it`,
      'certpin get FILE',
    );
  }
  if (policy.hostnameVerification === 'require') throw new FileError(`it holds a ${what}, which names no host`);
  const matched = pins.find(({ sha256 }) => sha256 === key.sha256);
  const headline = matched
    ? `pin holds for ${printable(label)}: a certificate with this key has a pinned public key`
    : `pin mismatch for ${printable(label)}: the public key is none of the pinned ones`;
  const configured = policy.pins.map((pin) => `  configured: ${formatPin(pin)} (${pin.kind})`);
  return { matched, explanation: [headline, `  ${what}: ${key.pin}`, ...(matched ? [] : configured)].join('\n') };
}
