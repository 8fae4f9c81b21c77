/**
 * The whole story on real servers, in one run: `npm run demo`. A PostgreSQL with a self-signed certificate, a login against it, an
 * impostor in between, a rotation, and the widespread technique beside it.
 */
import { promisify } from 'node:util';
import { certificateHex, mint } from '@certpin/testkit';
import { startPostgres, startPostgresRelay } from '@certpin/testkit/postgres';
import { hash } from 'bcryptjs';
import { findCertpinError } from 'certpin';
import { pinnedPg } from 'certpin/pg';
import { probe } from 'certpin/probe';
import pg from 'pg';
import { createLogin, type Profile } from '../login.ts';
import type { PinnedDatabase } from '../orm/database.ts';
import { bad, chapter, good, line, quote } from '../say.ts';
import { type TechniqueReport, tryThrowingCheck } from './throwing-check.ts';

const email = 'ada@example.com';
const password = 'correct horse battery staple';

/** Logs in once, over a connection of its own. */
async function logIn(configuration: PinnedDatabase): Promise<Profile> {
  const login = createLogin(configuration);
  try {
    return await promisify<string, string, Profile>(login as never)(email, password);
  } finally {
    await login.close();
  }
}

function showTechnique({ outcome, uncaught }: TechniqueReport, server: 'right' | 'impostor'): void {
  const tell = outcome.connected === (server === 'right') ? good : bad;
  tell(outcome.connected ? 'connected' : `refused: ${outcome.error}`);
  if (uncaught.length > 0) bad(`an uncaught exception, which ends a process that does not catch it: ${uncaught[0]}`);
}

const started = Date.now();
const name = { subject: 'CN=db.example.com', names: ['localhost', 'db.example.com'], keyType: 'rsa' } as const;
const [current, next] = [await mint(name), await mint(name)];
const trustedCa = await mint({ subject: 'CN=A CA that the client trusts', ca: true });
const stranger = await mint({ ...name, issuer: trustedCa });

chapter('A PostgreSQL with a self-signed certificate');
const postgres = await startPostgres({ certificate: current });
const impostor = await startPostgresRelay({ certificate: stranger, upstream: postgres, host: 'localhost' });
const { host, port, user, password: databasePassword, database } = postgres;
const account = { user, password: databasePassword, database };
try {
  const admin = new pg.Client({ host, port, ...account, ssl: { ca: current.certPem } });
  await admin.connect();
  const { rows } = await admin.query('SHOW server_version');
  await admin.query(
    'CREATE TABLE users (id serial PRIMARY KEY, email text UNIQUE NOT NULL, password_hash text NOT NULL)',
  );
  await admin.query('INSERT INTO users (email, password_hash) VALUES ($1, $2)', [email, await hash(password, 10)]);
  await admin.end();
  line(`PostgreSQL ${rows[0].server_version} listens on ${host}:${port}, with a table of users and bcrypt hashes`);

  const report = await probe(`postgres://${host}:${port}`);
  if (!report.ok) throw new Error(report.error.message);
  line(`certpin get postgres://${host}:${port}`);
  quote(`${report.certificate.sha256}\n${report.certificate.subject}, self-signed: ${report.certificate.selfSigned}`);
  const isOwn = report.certificate.sha256 === certificateHex(current);
  line(`compared with the server's own file: ${isOwn ? 'the same' : 'ANOTHER ONE'}`);
  if (!isOwn) throw new Error('the probe saw another certificate than the server has');
  const pins = report.certificate.sha256;

  chapter('(a) The right pin');
  const profile = await logIn({ host, port, ...account, pins });
  good(`login(${email}) → ${JSON.stringify(profile)}`);

  chapter('(b) An impostor: the same name, another key, the real database behind it');
  line('it even has a certificate for that name, of a CA that the client trusts');
  const refusal = await logIn({ host, port: impostor.port, ...account, pins }).then(
    () => undefined,
    (error: Error) => error,
  );
  const reason = findCertpinError(refusal);
  if (reason?.code !== 'ERR_PIN_MISMATCH') throw new Error('the impostor was not refused', { cause: refusal });
  good(`refused. The person who logs in is told: ${refusal?.message}. The log is told:`);
  quote(reason.message);
  const leaked = impostor.received();
  if (leaked !== 0) throw new Error(`${leaked} application bytes reached the impostor`);
  good(`after the upgrade request the impostor received ${leaked} application bytes`);

  chapter('(c) The certificate is rotated, with the next pin already in the set');
  const both = `${pins}, ${certificateHex(next)}`;
  line('the set holds the current pin and the next one; the operator installs the new certificate');
  await postgres.present(next);
  const later = await probe(`postgres://${host}:${port}`);
  line(`the server now presents ${later.ok ? later.certificate.sha256 : later.error.message}`);
  good(`login(${email}) → ${JSON.stringify(await logIn({ host, port, ...account, pins: both }))}`);
  await postgres.present(current);

  chapter('(d) The widespread technique: compare in checkServerIdentity, and throw');
  line('with the right fingerprint, on the right server:');
  const target = { host, ...account, fingerprint: pins, email };
  showTechnique(await tryThrowingCheck({ ...target, port }), 'right');
  line('so the certificate is given as `ca`, beside the CAs that the client trusts anyway; on the right server:');
  const ca = current.certPem + trustedCa.certPem;
  showTechnique(await tryThrowingCheck({ ...target, port, ca }), 'right');
  line('and on the impostor:');
  impostor.forget();
  showTechnique(await tryThrowingCheck({ ...target, port: impostor.port, ca }), 'impostor');
  const seen = impostor.receivedText().includes(email) ? `, ${email} among them` : '';
  (impostor.received() === 0 ? good : bad)(`${impostor.received()} application bytes reached the impostor${seen}`);
  line('certpin on the same impostor, with the same list of trusted CAs:');
  impostor.forget();
  const config = pinnedPg({ host, port: impostor.port, ...account, ssl: { ca } }, { pins });
  const again = await new pg.Client(config).connect().then(
    () => undefined,
    (error: Error) => findCertpinError(error)?.code,
  );
  if (again !== 'ERR_PIN_MISMATCH' || impostor.received() !== 0) throw new Error('certpin let the impostor in');
  good(`refused: ${again}, ${impostor.received()} application bytes`);
} finally {
  await impostor.close();
  await postgres.stop();
}
chapter(`Done in ${((Date.now() - started) / 1000).toFixed(1)} s; both servers are shut down`);
