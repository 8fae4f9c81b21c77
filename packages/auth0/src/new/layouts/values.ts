import { piecesOf } from '../clients/index.ts';
import type { Plan } from '../options.ts';

/** A setting, with its value if that is known and not a secret. */
export interface Setting {
  readonly name: string;
  /** undefined: the user must fill it in. */
  readonly value: string | undefined;
  readonly isSecret: boolean;
}

const secrets: readonly string[] = ['DB_PASSWORD', 'LDAP_PASSWORD', 'API_KEY'];

/** The settings of a script's client. A password or a key never has a value. */
export function settingsOf(plan: Plan): readonly Setting[] {
  const values: Record<string, string | undefined> = {
    DB_HOST: plan.host,
    DB_PORT: plan.port === undefined ? undefined : String(plan.port),
    DB_NAME: plan.database,
    DB_PINS: plan.pins,
    LDAP_URL: plan.url,
    LDAP_BASE: plan.database,
    LDAP_PINS: plan.pins,
    API_URL: plan.url,
    API_PINS: plan.pins,
  };
  return piecesOf(plan.client).settings.map((name) => ({
    name,
    value: values[name],
    isSecret: secrets.includes(name),
  }));
}
