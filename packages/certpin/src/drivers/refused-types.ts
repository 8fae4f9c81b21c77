/** Options of `tls.connect` that are refused together with a pin. */
type RefusedTls =
  | 'rejectUnauthorized'
  | 'checkServerIdentity'
  | 'session'
  | 'pskCallback'
  | 'secureProtocol'
  | 'verifyIdentity'
  | 'maxCachedSessions';

/** Refuses what a configuration says outright, and not what its type only allows (`PoolConfig` of pg). */
export type Refuse<Options, Keys extends PropertyKey> = {
  readonly [Key in keyof Options & Keys as IsAllowed<Options, Key> extends true ? never : Key]: undefined;
};

type IsAllowed<Options, Key extends keyof Options> = string extends keyof Options
  ? true
  : object extends Pick<Options, Key>
    ? true
    : undefined extends Options[Key]
      ? true
      : false;

/** `ssl` as certpin takes it: `true`, or TLS options that do not contradict a pin. */
type Ssl<Given> = [Given] extends [boolean | undefined]
  ? true | undefined
  : [Given] extends [string | undefined]
    ? undefined
    : [Given] extends [object | undefined]
      ? Refuse<Given, RefusedTls> | undefined
      : Given;

/** What the type of a driver's configuration must not say: TLS that is off or not under the pin, and ways around certpin. */
export type DriverConfigTypes<Config, Keys extends PropertyKey> = Refuse<Config, Keys> &
  (Config extends { readonly ssl?: infer Given } ? { readonly ssl?: Ssl<Given> } : unknown);

/** As {@link DriverConfigTypes}, for the clients of LDAP, whose TLS options stand in `tlsOptions`. */
export type LdapConfigTypes<Options, Keys extends PropertyKey> = Refuse<Options, Keys> &
  (Options extends { readonly tlsOptions?: infer Given } ? { readonly tlsOptions?: Ssl<Given> } : unknown);

/** As {@link DriverConfigTypes}, for ioredis and node-redis 3, whose TLS options stand in `tls`, and for `socket` of node-redis 4 and newer. */
export type RedisConfigTypes<Config, Keys extends PropertyKey> = Refuse<Config, Keys> &
  (Config extends { readonly tls?: infer Given } ? { readonly tls?: Ssl<Given> } : unknown) &
  (Config extends { readonly socket: infer Given } ? { readonly socket: RedisSocket<Given> } : unknown);

type RedisSocket<Given> = Refuse<Given, RefusedTls | 'path'> & NeverWithoutTls<Given>;

/** For clients with a switch that is named `tls`. */
export type NeverWithoutTls<Given> = [Given] extends [{ readonly tls: boolean }] ? { readonly tls: true } : unknown;

/** As {@link DriverConfigTypes}, for tedious, whose options of TLS stand in `options`, and for mssql, which takes them beside it too. */
export type TediousConfigTypes<Config> = TediousTls<Config> &
  (Config extends { readonly options: infer Given } ? { readonly options: TediousTls<Given> } : unknown);

type TediousTls<Given> = Refuse<Given, 'connector'> & {
  readonly [Key in keyof Given as [Key, Given[Key]] extends ['encrypt', false] | ['trustServerCertificate', true]
    ? Key
    : never]: undefined;
};
