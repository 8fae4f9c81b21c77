import type { SecretPlace } from '../config/secret.ts';
import type { Remark, State } from '../types.ts';

/** One of `receivers` in certpin.watch.json, after a check by its schema. */
export type ReceiverSettings = WebhookSettings | ChatSettings | AlertmanagerSettings | MailSettings | CommandSettings;

export interface CommonSettings {
  readonly name: string;
  /** The states whose beginning and end it gets. Default: all that matter. */
  readonly states?: readonly State[];
  /** Which remarks. Default: none. */
  readonly remarks?: readonly Remark[];
  /** After how many hours without a notice a trouble is repeated. 0: never. Default 24. */
  readonly remindAfterHours?: number;
}

interface HttpSettings extends CommonSettings {
  /** Pins of the receiver. Default: Node verifies its certificate as it verifies every other. */
  readonly pins?: readonly string[];
  /** `accept`: its URL may be http:. Otherwise, http: is allowed only on this machine. */
  readonly plaintext?: 'accept';
}

export interface WebhookSettings extends HttpSettings {
  readonly kind: 'webhook';
  readonly url: string | SecretPlace;
  /** `whsec_…`. Two secrets while the receiver changes from one to the next. */
  readonly secret: SecretPlace | readonly SecretPlace[];
  /** The value of the header of that name. */
  readonly authorization?: SecretPlace;
}

interface ChatSettings extends HttpSettings {
  readonly kind: 'slack' | 'teams';
  readonly url: SecretPlace;
}

interface AlertmanagerSettings extends HttpSettings {
  readonly kind: 'alertmanager';
  /** Without `/api/v2/alerts`. */
  readonly url: string;
  readonly authorization?: SecretPlace;
}

export interface MailSettings extends CommonSettings {
  readonly kind: 'mail';
  readonly host: string;
  /** Default: 465 for implicit TLS, 587 for STARTTLS, 25 without TLS. */
  readonly port?: number;
  /** Default `implicit`. */
  readonly tls?: 'implicit' | 'starttls' | 'none';
  readonly pins?: readonly string[];
  readonly user?: string;
  readonly password?: SecretPlace;
  readonly from: string;
  readonly to: string;
}

interface CommandSettings extends CommonSettings {
  readonly kind: 'command';
  readonly command: readonly [string, ...string[]];
}
