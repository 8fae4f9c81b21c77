import type { Route } from './routes.ts';

const triggers = [
  'post-login',
  'credentials-exchange',
  'pre-user-registration',
  'post-user-registration',
  'post-change-password',
];

/** What clients ask for besides connections and Actions. It exists, and contains only what must be there. */
export function surroundingRoutes(domain: string, clientId: string, grants: readonly string[]): readonly Route[] {
  const tenant = domain.split('.')[0];
  // Every tenant has it, and the Deploy CLI asks for it: the settings for all its clients.
  const all = { client_id: 'globalfakeclient', tenant, name: 'All Applications', global: true, callbacks: [] };
  const clients = [
    {
      ...{ client_id: clientId, tenant, name: 'certpin', global: false, is_first_party: true },
      ...{ app_type: 'non_interactive', oidc_conformant: true, grant_types: grants },
    },
  ];
  return [
    {
      operation: 'GET clients',
      scopes: ['read:clients'],
      handle: ({ query }) => {
        const shown = query.is_global === 'true' ? [all] : query.is_global === 'false' ? clients : [all, ...clients];
        const totals = { total: shown.length, start: 0, limit: 100 };
        return { status: 200, body: query.include_totals === 'true' ? { ...totals, clients: shown } : shown };
      },
    },
    { operation: 'GET clients/:id/credentials', scopes: ['read:clients'], handle: () => ({ status: 200, body: [] }) },
    {
      operation: 'GET tenants/settings',
      scopes: ['read:tenant_settings'],
      handle: () => ({ status: 200, body: { friendly_name: domain, flags: {}, enabled_locales: ['en'] } }),
    },
    {
      operation: 'GET actions/modules',
      scopes: ['read:actions'],
      handle: () => ({ status: 200, body: { modules: [], total: 0, page: 0, per_page: 100 } }),
    },
    {
      operation: 'GET actions/triggers',
      scopes: ['read:actions'],
      handle: () => ({
        status: 200,
        body: { triggers: triggers.map((id) => ({ id, version: 'v3', status: 'CURRENT' })) },
      }),
    },
    {
      operation: 'GET actions/triggers/:id/bindings',
      scopes: ['read:actions'],
      handle: () => ({ status: 200, body: { bindings: [], total: 0, page: 0, per_page: 50 } }),
    },
  ];
}
