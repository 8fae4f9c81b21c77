const subpaths = ['https', 'axios', 'undici', 'pg', 'postgres', 'mysql2', 'mysql', 'mariadb'];
const certpin = Object.assign({}, require('certpin'), ...subpaths.map((subpath) => require(`certpin/${subpath}`)));

require('./suite.cjs')({ test, expect, timers: jest }, certpin);
