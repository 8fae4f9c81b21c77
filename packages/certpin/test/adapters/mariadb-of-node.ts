// The newest MariaDB connector that runs on this Node: 3.5 needs Node 20, and the library supports 18.
export const isNewest = !process.version.startsWith('v18.');

export const mariadb = (await import(isNewest ? 'mariadb' : 'mariadb-3.4')) as typeof import('mariadb');
export const callbacks = (await import(
  isNewest ? 'mariadb/callback' : 'mariadb-3.4/callback.js'
)) as typeof import('mariadb/callback');
