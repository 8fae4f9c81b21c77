import type { Minted } from '@certpin/testkit';
import { type Slapd, startSlapd } from '@certpin/testkit/ldap';

const person = (uid: string, mail: string): string[] => [
  ...[`dn: uid=${uid},o=users`, 'objectClass: inetOrgPerson', `uid: ${uid}`, `cn: ${uid}`, `sn: ${uid}`],
  ...[`mail: ${mail}`, ''],
];

const group = (cn: string, ...members: readonly string[]): string[] => [
  ...[`dn: cn=${cn},o=users`, 'objectClass: groupOfNames', `cn: ${cn}`],
  ...[...members.map((uid) => `member: uid=${uid},o=users`), ''],
];

/** An OpenLDAP with people and groups: the one user of an event is an admin; two people have one address; the name of one is full of signs. */
export function startDirectory(certificate: Minted): Promise<Slapd> {
  return startSlapd(certificate, [
    ...person('user', 'user@example.com'),
    ...person('root', 'root@example.com'),
    ...person('twin1', 'twins@example.com'),
    ...person('twin2', 'twins@example.com'),
    ...person('a(b)*c', 'signs@example.com'),
    ...group('admin', 'user'),
    ...group('owner', 'root'),
    ...group('twin', 'twin1', 'twin2'),
    ...group('signs', 'a(b)*c'),
  ]);
}
