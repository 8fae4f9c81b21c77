import type { Certificate } from './certificate.ts';
import { optionInvalid } from './errors.ts';
import { INLINE } from './form.ts';
import { type LivePins, liveStateOf } from './live-pins.ts';
import { type ParsedPins, type PinInput, parsePinSources } from './parse-pin.ts';
import type { Pin } from './pin.ts';

/** What must hold before a connection may be used. Each switch is independent of the others. */
export interface PolicyOptions {
  /** Pins on the leaf, the server's own certificate or public key. Any match is a match. */
  readonly pins?: PinInput | LivePins | undefined;
  /**
   * Pins on an issuer: a CA certificate or CA key from which a verified chain must lead to the leaf. Any match is a match, of
   * these or of `pins`. Given as PEM, DER or `X509Certificate`, an issuer is found even where the server does not send it. A
   * public-key pin proves the key of an issuer and nothing else of its certificate, neither its dates nor its limits.
   */
  readonly issuerPins?: PinInput | LivePins | undefined;
  /**
   * Default `'refuse'`. `'accept'` lets a pinned certificate pass after the end of its validity. A certificate whose validity has
   * not begun is always refused.
   */
  readonly expired?: 'refuse' | 'accept' | undefined;
  /**
   * Whether the leaf must name the host (RFC 9525). Default: `'ignore'` where the leaf itself is pinned, for then the pin is the
   * identity; `'require'` where an issuer is pinned, for an issuer vouches for more than one server.
   */
  readonly hostnameVerification?: 'require' | 'ignore' | undefined;
  /**
   * Default `'ignore'`: the pin alone is the trust. `'require'`: the chain must also lead to a CA that Node trusts (its own list,
   * or the `ca` of the connection).
   */
  readonly caVerification?: 'require' | 'ignore' | undefined;
  /**
   * Default `'refuse'`: every connection is a full handshake, in which the server shows its certificate. `'own'`: a connection may
   * resume the TLS session of an earlier one that had a matching verdict; the certificate of that one is judged again. A server that
   * shares its session keys with the pinned one then passes for it, for ten minutes at most. Without effect beside
   * `caVerification: 'require'`.
   */
  readonly resumption?: 'refuse' | 'own' | undefined;
}

const policyBrand: unique symbol = Symbol.for('certpin.policy') as never;

/** A checked policy. Made by {@link createPolicy}; wherever a policy is expected, options and policies are both accepted. */
export interface Policy {
  readonly pins: readonly Pin[];
  readonly issuerPins: readonly Pin[];
  /** Certificates that the pins were made from. */
  readonly knownCertificates: readonly Certificate[];
  readonly expired: 'refuse' | 'accept';
  /** undefined: by the rule told at {@link PolicyOptions}. */
  readonly hostnameVerification: 'require' | 'ignore' | undefined;
  readonly caVerification: 'require' | 'ignore';
  readonly resumption: 'refuse' | 'own';
  /**
   * Where pins are live: calls `listener` after each change, until the returned function is called. undefined where none are; then
   * nothing of the policy ever changes.
   */
  readonly onChange: ((listener: () => void) => () => void) | undefined;
  readonly [policyBrand]: true;
}

/** The options of a policy by name; adapters whose options hold more than a policy pick these. */
export const policyKeys: readonly (keyof PolicyOptions)[] = INLINE
  ? ['pins', 'expired']
  : ['pins', 'issuerPins', 'expired', 'hostnameVerification', 'caVerification', 'resumption'];

const nothing: ParsedPins = { pins: [], certificates: [] };

/**
 * Checks a policy, once, when the configuration is made.
 *
 * @throws CertpinError `ERR_PIN_INVALID` for a pin that cannot be read; `ERR_OPTION_INVALID` for no pin at all, an unknown option
 * or an unknown value: a misspelt security option is never ignored
 */
export function createPolicy(options: PolicyOptions | Policy): Policy {
  // The inline form takes no policy that was made elsewhere: it cannot honour everything that one may hold.
  if (!INLINE && isPolicy(options)) return options;
  refuseUnknownOptions(options, policyKeys, 'policy');
  const noIssuerPins = INLINE ? true : options.issuerPins === undefined;
  if (noIssuerPins && options.pins === undefined)
    throw optionInvalid('pins', INLINE ? 'give `pins`' : 'a policy needs pins: give `pins` (or `issuerPins`)');
  const { expired = 'refuse' } = options;
  if (!['refuse', 'accept'].includes(expired))
    throw optionInvalid('expired', "`expired` must be one of 'refuse', 'accept'");
  return INLINE
    ? (Object.freeze({ ...parsePinSources(options.pins as PinInput), expired }) as object as Policy)
    : createFullPolicy(options, expired);
}

function isPolicy(options: PolicyOptions | Policy): options is Policy {
  return typeof options === 'object' && options !== null && policyBrand in options;
}

/** With everything that the inline form leaves out. */
function createFullPolicy(options: PolicyOptions, expired: Policy['expired']): Policy {
  const leaf = readPins(options.pins);
  const issuers = readPins(options.issuerPins);
  const changes = [leaf.onChange, issuers.onChange].filter((onChange) => onChange !== undefined);
  return Object.freeze({
    get pins() {
      return leaf.parsed().pins;
    },
    get issuerPins() {
      return issuers.parsed().pins;
    },
    get knownCertificates() {
      return Object.freeze([...leaf.parsed().certificates, ...issuers.parsed().certificates]);
    },
    expired,
    hostnameVerification: oneOf('hostnameVerification', options.hostnameVerification, ['require', 'ignore']),
    caVerification: oneOf('caVerification', options.caVerification, ['require', 'ignore']) ?? 'ignore',
    resumption: oneOf('resumption', options.resumption, ['refuse', 'own']) ?? 'refuse',
    onChange: changes.length === 0 ? undefined : subscribeToAll(changes),
    [policyBrand]: true as const,
  });
}

/** The policy as it is now: what a verdict keeps, while the pins go on changing. */
export function snapshot(policy: Policy): Policy {
  // A spread reads the getters, and takes the brand along.
  return policy.onChange === undefined ? policy : Object.freeze({ ...policy, onChange: undefined });
}

type OnChange = NonNullable<Policy['onChange']>;

function readPins(input: PolicyOptions['pins']): { parsed: () => ParsedPins; onChange: OnChange | undefined } {
  const live = input === undefined ? undefined : liveStateOf(input);
  if (live !== undefined) return live;
  const parsed = input === undefined ? nothing : parsePinSources(input as PinInput);
  return { parsed: () => parsed, onChange: undefined };
}

function subscribeToAll(sources: readonly OnChange[]): OnChange {
  return (listener) => {
    const ends = sources.map((onChange) => onChange(listener));
    return () => {
      for (const end of ends) end();
    };
  };
}

/** @throws CertpinError `ERR_OPTION_INVALID` for a value that is given and is not among `allowed` */
export function oneOf<Value extends string>(
  option: string,
  value: Value | undefined,
  allowed: readonly Value[],
): Value | undefined {
  if (value === undefined || allowed.includes(value)) return value;
  throw optionInvalid(option, `\`${option}\` must be one of '${allowed.join("', '")}'`);
}

/**
 * @throws CertpinError `ERR_OPTION_INVALID` for what is no object, and for the first own key of `options` that has a value and is not among `known`; `where` names the object
 */
export function refuseUnknownOptions(options: object, known: readonly string[], where: string): void {
  if (typeof options !== 'object' || options === null) throw optionInvalid(where, `${where}: must be an object`);
  for (const [option, value] of Object.entries(options)) {
    if (known.includes(option) || value === undefined) continue;
    const problem = `unknown ${where} option \`${option}\``;
    throw optionInvalid(option, INLINE ? problem : problem + similarOption(option, known));
  }
}

function similarOption(option: string, known: readonly string[]): string {
  const similar = known.find((key) => distance(key.toLowerCase(), option.toLowerCase()) <= 2);
  return similar === undefined ? '' : `; did you mean \`${similar}\`?`;
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
