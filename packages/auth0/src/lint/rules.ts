import type { Rule } from './rule.ts';
import { maxScriptSize } from './rules/max-script-size.ts';
import { noCredentialsOverHttp } from './rules/no-credentials-over-http.ts';
import { noDeadCheckServerIdentity } from './rules/no-dead-check-server-identity.ts';
import { noDeadModules } from './rules/no-dead-modules.ts';
import { noEmptyCheckServerIdentity } from './rules/no-empty-check-server-identity.ts';
import { noFetchAgent } from './rules/no-fetch-agent.ts';
import { noHardcodedCredentials } from './rules/no-hardcoded-credentials.ts';
import { noIgnoredCheckServerIdentity } from './rules/no-ignored-check-server-identity.ts';
import { noInsecureSslmode } from './rules/no-insecure-sslmode.ts';
import { noMysqlSecureConnect } from './rules/no-mysql-secure-connect.ts';
import { noNodeTlsRejectUnauthorized } from './rules/no-node-tls-reject-unauthorized.ts';
import { noOutageAsRefusal } from './rules/no-outage-as-refusal.ts';
import { noRejectUnauthorizedFalse } from './rules/no-reject-unauthorized-false.ts';
import { noSwallowedTlsErrors } from './rules/no-swallowed-tls-errors.ts';
import { noThrowInCheckServerIdentity } from './rules/no-throw-in-check-server-identity.ts';
import { noTrustServerCertificate } from './rules/no-trust-server-certificate.ts';
import { requireAxiosProxyFalse } from './rules/require-axios-proxy-false.ts';
import { requireCallbackOnFailure } from './rules/require-callback-on-failure.ts';
import { requireTls } from './rules/require-tls.ts';
import { validPin } from './rules/valid-pin.ts';

/** All rules, the most dangerous findings first. */
export const rules: readonly Rule[] = [
  noRejectUnauthorizedFalse,
  noNodeTlsRejectUnauthorized,
  noTrustServerCertificate,
  noInsecureSslmode,
  requireTls,
  noCredentialsOverHttp,
  noEmptyCheckServerIdentity,
  noThrowInCheckServerIdentity,
  noIgnoredCheckServerIdentity,
  noDeadCheckServerIdentity,
  noMysqlSecureConnect,
  validPin,
  noFetchAgent,
  requireAxiosProxyFalse,
  noSwallowedTlsErrors,
  noHardcodedCredentials,
  noOutageAsRefusal,
  requireCallbackOnFailure,
  noDeadModules,
  maxScriptSize,
];
