export { type CanaryLogin, tryCanary } from './canary-login.ts';
export { deliver, undoDelivery } from './deliver.ts';
export { DeliverError, type DeliverErrorCode } from './deliver-error.ts';
export type { DeliverOptions } from './deliver-options.ts';
export type { Delivered, DeliveryOutcome, DeliveryProblem, DeliveryStatus } from './delivered.ts';
export { type Differences, diffDeliveries, type PlaceDifference } from './diff.ts';
export { type LearnDeliveryOptions, learn, type TenantLesson } from './learn.ts';
export { readLearned } from './learned.ts';
export { type Pulled, pullDeliveries } from './pull.ts';
