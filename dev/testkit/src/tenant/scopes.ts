/** All scopes of what the fake has. */
export const scopesOfAll: readonly string[] = [
  ...['read', 'create', 'update', 'delete'].flatMap((verb) => [`${verb}:connections`, `${verb}:actions`]),
  ...['read:connections_options', 'update:connections_options'],
  ...['read:clients', 'read:tenant_settings'],
];
