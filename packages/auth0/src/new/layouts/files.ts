import { type LayoutFunction, toJson } from './layout.ts';
import { settingsOf } from './values.ts';

/** Plain files, and the settings as `certpin auth0 run` takes them. Unknown values, above all a password, are empty. */
export const files: LayoutFunction = (scripts, plan) => {
  const settings = Object.fromEntries(settingsOf(plan).map(({ name, value }) => [name, value ?? '']));
  const name = plan.kind === 'database' || plan.kind === 'rule' ? 'configuration.json' : 'secrets.json';
  return [
    ...scripts.map(({ point, content }) => ({ path: `${point}.js`, content, isScript: true })),
    { path: name, content: toJson(settings), isScript: false },
  ];
};
