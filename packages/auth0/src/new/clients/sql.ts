/** The settings of every database. */
export const databaseSettings = ['DB_HOST', 'DB_PORT', 'DB_NAME', 'DB_USER', 'DB_PASSWORD', 'DB_PINS'] as const;

/** Which pool it is: an expression. */
export const databasePlace = (client: string): string =>
  `\`${client} \${DB_USER}@\${DB_HOST}:\${DB_PORT}/\${DB_NAME}\``;

/** A pool's queue has no limit of its own. */
export const withinFunction = `// Waiting for a connection of the pool counts too. The platform ends a run after 20 s.
function within(milliseconds, work) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(\`no answer in \${milliseconds} ms\`)), milliseconds);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}`;
