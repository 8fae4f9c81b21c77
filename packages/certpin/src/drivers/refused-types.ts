/** Options of `tls.connect` that are refused beside a pin. */
type RefusedTls =
  | 'rejectUnauthorized'
  | 'checkServerIdentity'
  | 'session'
  | 'pskCallback'
  | 'secureProtocol'
  | 'verifyIdentity'
  | 'maxCachedSessions';

/** What a configuration says outright is refused; what its type merely allows (`PoolConfig` of pg) is not. */
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

/** What the type of a driver's configuration must not say: TLS that is off or no longer a pin's, and ways around certpin. */
export type DriverConfigTypes<Config, Keys extends PropertyKey> = Refuse<Config, Keys> &
  (Config extends { readonly ssl?: infer Given } ? { readonly ssl?: Ssl<Given> } : unknown);
