/** Why the configuration cannot be used. The message holds nothing of what stands in it: people paste passwords. */
export class ConfigError extends Error {
  readonly code = 'ERR_CONFIG';
}
