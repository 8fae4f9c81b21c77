// The scripts of Auth0's article on self-signed certificates: its code as it stands there, with the pin filled in, and with what the
// article leaves to the reader ("rest of code") where it says so.

const compare = `
        const fingerprint = crypto
          .createHash('sha256')
          .update(cert.raw)
          .digest('hex')
          .toUpperCase();

        if (fingerprint !== pinnedFingerprint) {
          throw new Error('Certificate verification failed: fingerprint mismatch');
        }`;

export interface ArticleServer {
  readonly host: string;
  readonly port: number;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
}

export function axiosScript({ host, port }: ArticleServer, pin: string): string {
  return `const axios = require('axios');
const https = require('https');
const crypto = require('crypto');

function createAxiosInstance(pinnedFingerprint) {
  return axios.create({
    httpsAgent: new https.Agent({
      rejectUnauthorized: true,
      checkServerIdentity: (host, cert) => {${compare}
      }
    })
  });
}

function login(email, password, callback) {
   const pinnedFingerprint = '${pin}';
   const axiosInstance = createAxiosInstance(pinnedFingerprint);

   axiosInstance.post('https://${host}:${port}/login', { email, password }).then(
     () => callback(null, { user_id: 'api|' + email, email }),
     (error) => callback(error));
}`;
}

export function pgScript(server: ArticleServer, pin: string): string {
  return `const { Client } = require('pg');
const crypto = require('crypto');

function createPgClient(config, pinnedFingerprint) {
  return new Client({
    ...config,
    ssl: {
      rejectUnauthorized: true,
      checkServerIdentity: (host, cert) => {${compare}
      }
    }
  });
}

function login(email, password, callback) {
   const dbConfig = ${JSON.stringify(server)};
   const pinnedFingerprint = '${pin}';
   const client = createPgClient(dbConfig, pinnedFingerprint);

   client.connect()
     .then(() => client.query('SELECT $1::text AS id', [email]))
     .then(({ rows }) => callback(null, { user_id: rows[0].id, email }), (error) => callback(error))
     .finally(() => client.end());
}`;
}

/** @param require what the article's code leaves out: \`mysql\` is not required in it */
export function mysqlScript(server: ArticleServer, pin: string, require = ''): string {
  return `${require}const crypto = require('crypto');

function createMySQLConnection(config, pinnedFingerprint) {
  const connection = mysql.createConnection({
    ...config,
    ssl: {
      rejectUnauthorized: true
    }
  });

  connection.on('secureConnect', () => {
    const cert = connection.connection.getPeerCertificate();
    const fingerprint = crypto
      .createHash('sha256')
      .update(cert.raw)
      .digest('hex')
      .toUpperCase();

    if (fingerprint !== pinnedFingerprint) {
      connection.destroy();
      throw new Error('Certificate verification failed: fingerprint mismatch');
    }
  });

  return connection;
}

function login(email, password, callback) {
   const dbConfig = ${JSON.stringify(server)};
   const pinnedFingerprint = '${pin}';
   const connection = createMySQLConnection(dbConfig, pinnedFingerprint);

   connection.query('SELECT ? AS id', [email], (error, rows) => {
     connection.destroy();
     if (error) return callback(error);
     callback(null, { user_id: rows[0].id, email });
   });
}`;
}
