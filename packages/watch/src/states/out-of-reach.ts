import { isIPv6 } from 'node:net';
import type { JudgedAddress } from '@certpin/pins-file';

export type Family = 'IPv4' | 'IPv6';

/** Whether this machine has a global address of the family. */
export type HasFamily = (family: Family) => boolean;

export function familyOf(address: string): Family {
  return isIPv6(address) ? 'IPv6' : 'IPv4';
}

/** This machine has no way to any address of one family, and the other family answers. That says nothing about the server. */
export function isOutOfReach(
  { address, failure }: JudgedAddress,
  all: readonly JudgedAddress[],
  hasFamily: HasFamily,
): boolean {
  if (failure === undefined || !/^(?:ENETUNREACH|EADDRNOTAVAIL)$/.test(failure.code)) return false;
  if (hasFamily(familyOf(address))) return false;
  return all.some((other) => other.failure === undefined && familyOf(other.address) !== familyOf(address));
}
