import { networkInterfaces } from 'node:os';

/** Whether this machine has an address of the family that leads anywhere but to itself and its own network. */
export function hasGlobalAddress(family: 'IPv4' | 'IPv6'): boolean {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.some((own) => own.family === family && !own.internal && !isLocal(own.address));
}

/** RFC 4291 §2.5.6: fe80::/10 is the link; RFC 4193: fc00::/7 are networks of one's own; RFC 3927: 169.254/16 is the link. */
function isLocal(address: string): boolean {
  return /^(?:f[cd]|fe[89ab])[0-9a-f]{0,2}:|^169\.254\./i.test(address);
}
