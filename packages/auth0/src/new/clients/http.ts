/** The settings of every HTTP API. */
export const apiSettings = ['API_URL', 'API_KEY', 'API_PINS'] as const;

/** Which client it is: an expression. */
export const apiPlace = (client: string): string => `\`${client} \${API_URL}\``;
