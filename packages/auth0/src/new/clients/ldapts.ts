import { type Frame, pinnedName } from '../frame.ts';
import type { DirectoryPieces, Need } from './client.ts';
import { withinFunctionOfCalls } from './sql.ts';

/** The settings of every directory. */
const directorySettings = ['LDAP_URL', 'LDAP_BASE', 'LDAP_USER', 'LDAP_PASSWORD', 'LDAP_PINS'] as const;

export const ldapts: DirectoryPieces = {
  title: 'a directory, with ldapts',
  settings: directorySettings,
  binding: 'const { Client, EqualityFilter } = ',
  url: 'LDAP_URL: ldaps://host:port (TLS at once), or ldap://host:port (StartTLS, always).',
  keeps: {
    findPerson: 'one entry for each person, below LDAP_BASE, with the address in its attribute mail.',
    findRoles:
      'one entry for each person, below LDAP_BASE, with the address in its attribute mail; groups with that entry in their attribute member, whose attribute cn is a role.',
  },
  functions: (frame, needs) => [
    ...needs.flatMap((need) => functions[need] ?? []),
    findEntry,
    search,
    withClient(frame),
    withinFunctionOfCalls,
  ],
};

const functions: Readonly<Partial<Record<Need, string>>> = {
  findPerson: `async function findPerson(secrets, email) {
  return withClient(secrets, (client) => findEntry(client, secrets, email));
}`,
  findRoles: `async function findRoles(secrets, email) {
  return withClient(secrets, async (client) => {
    const person = await findEntry(client, secrets, email);
    if (person === undefined) return [];
    const groups = await search(client, secrets, 'member', person.dn, { attributes: ['cn'] });
    return groups.flatMap(({ cn }) => cn);
  });
}`,
};

// A user with another address must not get an entry: OpenLDAP takes `root@example.com\0` for `root@example.com`, and directories differ in
// which letters they treat as equal.
const findEntry = `// Two entries with one address: nobody can tell whose it is. A directory compares less strictly
// than this script: it passes over signs and accents.
async function findEntry(client, secrets, email) {
  const options = { attributes: ['mail'], sizeLimit: 2 };
  const found = await search(client, secrets, 'mail', email, options);
  if (found.length > 1) throw new Error('the directory has more than one entry with this address');
  return found.find(({ mail }) => [mail].flat().some((one) => small(one) === small(email)));
}

// Of ASCII alone: other letters are what they are.
function small(text) {
  return String(text).replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}`;

const search = `// The value is sent as a value: no sign in it is a piece of the filter.
async function search(client, { LDAP_BASE }, attribute, value, options) {
  const filter = new EqualityFilter({ attribute, value });
  const { searchEntries } = await client.search(LDAP_BASE, { ...options, filter, timeLimit: 4 });
  return searchEntries;
}`;

function withClient(frame: Frame): string {
  return `// A connection for each run: ldapts loses calls that begin while it connects for another one.
async function withClient(secrets, work) {
  const { LDAP_URL, LDAP_USER, LDAP_PASSWORD, LDAP_PINS } = readSettings(secrets);
  const options = ${pinnedName(frame)}(
    { url: LDAP_URL, timeout: 4000 },
    { pins: LDAP_PINS, connectTimeoutMs: 4000 },
  );
  const client = new Client(options);
  try {
    return await within(
      8000,
      client.bind(LDAP_USER, LDAP_PASSWORD).then(() => work(client)),
    );
  } finally {
    client.unbind().catch(() => {});
  }
}`;
}
