export { ATTEMPT_CHANNEL, type ConnectionAttempt } from './attempt.ts';
export { connect, type PinnedConnectionOptions } from './connect.ts';
export { VERDICT_CHANNEL } from './diagnostics.ts';
export type { GuardOptions } from './options.ts';
