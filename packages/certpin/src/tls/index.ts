export { ATTEMPT_CHANNEL, type ConnectionAttempt } from './attempt.ts';
export { connect, type PinnedConnectionOptions } from './connect.ts';
export { VERDICT_CHANNEL } from './diagnostics.ts';
export type { GivenGuardOptions as GuardOptions } from './options.ts';
