import { type DatabaseTemplate, failed, settle } from './template.ts';

const call = settle('setIdentifier', '(changed) => callback(null, changed)', failed);

/** The two newer keys differ only in names. Their signature is not documented, so nothing relies on what follows the new value. */
function changeIdentifier(words: {
  readonly key: 'change_username' | 'change_phone_number';
  readonly name: string;
  readonly column: 'username' | 'phone_number';
  readonly parameter: string;
  readonly next: string;
  readonly path: string;
}): DatabaseTemplate {
  const { key, name, column, parameter, next, path } = words;
  return {
    key,
    name,
    parameters: [parameter, next, '...others'],
    caveat: () =>
      `Auth0 does not document the parameters of this script: it takes the last one for the callback. Try it in a test tenant. It needs a column "${column}", get_user has to find users by it, and the profile of login and get_user should hold it.`,
    top: () => 'const callback = others[others.length - 1];',
    api: `PUT ${path} with ${parameter} and ${next}: 204, or 404.`,
    sqlNeeds: ['change'],
    sql: ({ sql, table, column: columnOf }) => `${call}

async function setIdentifier() {
  const statement = ${sql(`UPDATE ${table} SET ${columnOf(column)} = ? WHERE ${columnOf(column)} = ?`)};
  return (await change(statement, [${next}, ${parameter}])) > 0;
}`,
    documentNeeds: ['update'],
    documents: ({ field }) => `${call}

async function setIdentifier() {
  return update({ ${field(column, parameter)} }, { ${field(column, next)} });
}`,
    http: `${call}

async function setIdentifier() {
  const names = { ${parameter}, ${next} };
  const { status } = await request('PUT', '${path}', names, [204, 404]);
  return status === 204;
}`,
  };
}

export const changeUsername: DatabaseTemplate = changeIdentifier({
  ...{ key: 'change_username', name: 'changeUsername', column: 'username', path: '/users/username' },
  ...{ parameter: 'username', next: 'newUsername' },
});

export const changePhoneNumber: DatabaseTemplate = changeIdentifier({
  ...{ key: 'change_phone_number', name: 'changePhoneNumber', column: 'phone_number', path: '/users/phone-number' },
  ...{ parameter: 'phoneNumber', next: 'newPhoneNumber' },
});
