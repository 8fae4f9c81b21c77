/** A trigger of Actions. */
export interface Trigger {
  /** The functions that an Action may export for it. The first is the usual one. */
  readonly handlers: readonly [string, ...string[]];
  /** `api`, as `group.method`. */
  readonly methods: readonly string[];
}

const of = (group: string, ...names: readonly string[]): string[] => names.map((name) => `${group}.${name}`);

const cache = of('cache', 'get', 'set', 'delete');
const userMetadata = of('user', 'setUserMetadata', 'setAppMetadata');
const tokenMetadata = ['setMetadata', 'deleteMetadata', 'evictMetadata', 'setExpiresAt', 'setIdleExpiresAt', 'revoke'];
const challenges = of('authentication', 'challengeWith', 'challengeWithAny');
const redirects = of('redirect', 'encodeToken', 'sendUserTo', 'validateToken');

const saml = [
  ...['setAttribute', 'setAudience', 'setRecipient', 'setCreateUpnClaim', 'setPassthroughClaimsWithNoMapping'],
  ...['setMapUnknownClaimsAsIs', 'setMapIdentities', 'setSignatureAlgorithm', 'setDigestAlgorithm', 'setDestination'],
  ...['setLifetimeInSeconds', 'setSignResponse', 'setNameIdentifierFormat', 'setNameIdentifierProbes'],
  ...['setAuthnContextClassRef', 'setSigningCert', 'setIncludeAttributeNameFormat', 'setTypedAttributes'],
  ...['setEncryptionCert', 'setEncryptionPublicKey', 'setEncryptionAlgorithm', 'setCert', 'setKey', 'setRelayState'],
  'setIssuer',
];

/** The triggers of Auth0's documentation (state: August 2026). */
export const triggers: Readonly<Record<string, Trigger>> = {
  'post-login': {
    handlers: ['onExecutePostLogin', 'onContinuePostLogin'],
    methods: [
      ...['access.deny', 'idToken.setCustomClaim', 'multifactor.enable', 'prompt.render', 'rules.wasExecuted'],
      ...of('accessToken', 'setCustomClaim', 'addScope', 'removeScope'),
      ...[...challenges, ...of('authentication', 'enrollWith', 'enrollWithAny', 'recordMethod', 'setPrimaryUser')],
      ...[...redirects, 'redirect.canRedirect', ...userMetadata, 'validation.error', 'transaction.setMetadata'],
      ...[...of('refreshToken', ...tokenMetadata), ...of('session', ...tokenMetadata, 'setCookieMode')],
      ...of('groups', 'getUserGroups', 'hasGroupMembership'),
      ...of('roles', 'getUserEffectiveRoles', 'getUserEffectiveRolesByIds', 'getUserEffectiveRolesByNames'),
      ...[...of('samlResponse', ...saml), ...cache],
    ],
  },
  'credentials-exchange': {
    handlers: ['onExecuteCredentialsExchange'],
    methods: [
      ...['access.deny', 'accessToken.setCustomClaim', ...cache],
      ...of('transaction', 'addTargetScope', 'removeTargetScope', 'setTargetScopes', 'clearTargetScopes'),
    ],
  },
  'pre-user-registration': {
    handlers: ['onExecutePreUserRegistration'],
    methods: ['access.deny', ...userMetadata, 'validation.error', ...cache],
  },
  'post-user-registration': { handlers: ['onExecutePostUserRegistration'], methods: cache },
  'post-change-password': { handlers: ['onExecutePostChangePassword'], methods: cache },
  'send-phone-message': { handlers: ['onExecuteSendPhoneMessage'], methods: cache },
  'password-reset-post-challenge': {
    handlers: ['onExecutePostChallenge', 'onContinuePostChallenge'],
    methods: ['access.deny', ...challenges, ...redirects, 'prompt.render', 'transaction.setResultUrl', ...cache],
  },
  'custom-token-exchange': {
    handlers: ['onExecuteCustomTokenExchange'],
    methods: [
      ...['access.deny', 'access.rejectInvalidSubjectToken', ...userMetadata, ...cache],
      ...of('authentication', 'setUserById', 'setUserByConnection', 'setActor', 'setOrganization'),
    ],
  },
  'custom-email-provider': {
    handlers: ['onExecuteCustomEmailProvider'],
    methods: [...of('notification', 'drop', 'retry'), ...cache],
  },
  'custom-phone-provider': {
    handlers: ['onExecuteCustomPhoneProvider'],
    methods: [...of('notification', 'drop', 'retry'), ...cache],
  },
  'event-stream': { handlers: ['onExecuteEventStream'], methods: cache },
};

/** Methods that end the transaction with a no. */
export const refusals: readonly string[] = [
  ...['access.deny', 'access.rejectInvalidSubjectToken', 'validation.error', 'session.revoke', 'refreshToken.revoke'],
  ...['notification.drop', 'notification.retry'],
];
