/** Why the configuration cannot be used. The message contains nothing from the configuration, because people paste passwords. */
export class ConfigError extends Error {
  readonly code = 'ERR_CONFIG';
}
