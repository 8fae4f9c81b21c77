import type { Certificate } from './certificate.ts';
import { optionInvalid } from './errors.ts';
import { INLINE } from './form.ts';
import { type LivePins, liveStateOf } from './live-pins.ts';
import { ownOptions } from './own-options.ts';
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

/**
 * A policy points to itself; what was copied from one points to the original. Symbol.for, so that the ESM and the CommonJS copy of this
 * file recognise each other's policies.
 */
const policyBrand: unique symbol = Symbol.for('certpin.policy') as never;
/** Where a policy keeps what its pins come from; a copy does not take it along. */
const policySources: unique symbol = Symbol.for('certpin.policy-sources') as never;

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
  /** @internal */
  readonly [policyBrand]: Policy;
  /** @internal */
  readonly [policySources]: Sources;
}

/** The options of a policy by name; adapters whose options hold more than a policy pick these. */
export const policyKeys: readonly (keyof PolicyOptions)[] = INLINE
  ? ['pins', 'expired']
  : ['pins', 'issuerPins', 'expired', 'hostnameVerification', 'caVerification', 'resumption'];

/**
 * Checks a policy, once, when the configuration is made.
 *
 * @throws CertpinError `ERR_PIN_INVALID` for a pin that cannot be read; `ERR_OPTION_INVALID` for no pin at all, an unknown option
 * or an unknown value: a misspelt security option is never ignored
 */
export function createPolicy(options: PolicyOptions | Policy): Policy {
  // The inline form takes no policy that was made elsewhere: it cannot honour everything that one may hold.
  if (!INLINE && isBranded(options))
    return options[policyBrand] === options ? takePolicy(options) : createFromCopy(options);
  refuseUnknownOptions(options, policyKeys, 'policy');
  const own: PolicyOptions = ownOptions(options);
  const noIssuerPins = INLINE ? true : own.issuerPins === undefined;
  if (noIssuerPins && own.pins === undefined)
    throw optionInvalid('pins', INLINE ? 'give `pins`' : 'a policy needs pins: give `pins` (or `issuerPins`)');
  const { expired = 'refuse' } = own;
  if (!['refuse', 'accept'].includes(expired))
    throw optionInvalid('expired', "`expired` must be one of 'refuse', 'accept'");
  return INLINE
    ? (Object.freeze({ ...parsePinSources(own.pins as PinInput), expired }) as object as Policy)
    : createFullPolicy({ pins: readPins(own.pins), issuerPins: readPins(own.issuerPins) }, own);
}

function isBranded(options: object): options is Policy {
  return typeof options === 'object' && options !== null && Object.hasOwn(options, policyBrand);
}

/** The keys of a policy among other options. A copy of one brings two more, which follow from the pins. */
export function policyKeysIn(options: object): readonly string[] {
  return isBranded(options) ? [...policyKeys, 'knownCertificates', 'onChange'] : policyKeys;
}

/** Where the pins of a policy come from. */
interface Sources {
  readonly pins: Source;
  readonly issuerPins: Source;
}

interface Source {
  readonly parsed: () => ParsedPins;
  /** Whether a list of pins is this one, now or earlier. */
  readonly gave: (pins: unknown) => boolean;
  /** undefined: they never change. */
  readonly onChange: OnChange | undefined;
}

/** The policies that need no further look: this copy of the library has made them, or looked through them. */
const known = /* @__PURE__ */ new WeakSet<Policy>();

/** With everything that the inline form leaves out. */
function createFullPolicy({ pins, issuerPins }: Sources, options: PolicyOptions): Policy {
  const changes = [pins.onChange, issuerPins.onChange].filter((onChange) => onChange !== undefined);
  const policy = {
    get pins() {
      return pins.parsed().pins;
    },
    get issuerPins() {
      return issuerPins.parsed().pins;
    },
    get knownCertificates() {
      return Object.freeze([...pins.parsed().certificates, ...issuerPins.parsed().certificates]);
    },
    ...readSwitches(options),
    onChange: changes.length === 0 ? undefined : subscribeToAll(changes),
  } as object as Policy;
  Object.defineProperty(policy, policyBrand, { value: policy, enumerable: true });
  Object.defineProperty(policy, policySources, { value: { pins, issuerPins } });
  known.add(policy);
  return Object.freeze(policy);
}

function readSwitches({ expired, hostnameVerification, caVerification, resumption }: PolicyOptions) {
  return {
    expired: oneOf('expired', expired, ['refuse', 'accept']) ?? 'refuse',
    hostnameVerification: oneOf('hostnameVerification', hostnameVerification, ['require', 'ignore']),
    caVerification: oneOf('caVerification', caVerification, ['require', 'ignore']) ?? 'ignore',
    resumption: oneOf('resumption', resumption, ['refuse', 'own']) ?? 'refuse',
  } as const;
}

/** A policy that another copy of the library may have made, of another version even: nothing that it demands may be passed over. */
function takePolicy(policy: Policy): Policy {
  if (known.has(policy)) return policy;
  checkKeys(policy, 'a policy of another version of certpin');
  readSwitches(policy);
  sourcesOf(policy);
  known.add(policy);
  return policy;
}

/** What was copied from a policy (a spread) is read as options, with every key. Pins that were live stay live. */
function createFromCopy(copy: Policy): Policy {
  checkKeys(copy, 'a copy of a policy');
  const { pins, issuerPins } = sourcesOf(copy[policyBrand]);
  const sources = {
    pins: readCopied('pins', copy.pins, pins),
    issuerPins: readCopied('issuerPins', copy.issuerPins, issuerPins),
  };
  if (Object.values(sources).every((source) => source === absent))
    throw optionInvalid('pins', 'a policy needs pins: give `pins` (or `issuerPins`)');
  return createFullPolicy(sources, ownOptions(copy));
}

function readCopied(option: string, input: PolicyOptions['pins'], source: Source): Source {
  if (source.gave(input)) return source.parsed().pins.length === 0 ? absent : source;
  const isDeepCopy = Array.isArray(input) && input.some((pin) => Object.hasOwn(Object(pin), 'sha256'));
  if (isDeepCopy && source.onChange !== undefined)
    throw optionInvalid(option, `\`${option}\`: a copy of live pins would stay as it is; give the live set itself`);
  return readPins(input);
}

function checkKeys(policy: Policy, what: string): void {
  for (const [key, value] of Object.entries(policy)) {
    if (value === undefined || policyKeysIn(policy).includes(key)) continue;
    throw optionInvalid(shownOption(key), `${what} demands \`${shownOption(key)}\`, which is unknown here`);
  }
}

function sourcesOf(policy: Policy): Sources {
  const sources = Object(policy)[policySources] as Sources | undefined;
  const isComplete = [sources?.pins, sources?.issuerPins].every((source) => typeof source?.gave === 'function');
  if (isComplete) return sources as Sources;
  throw optionInvalid('policy', 'this copy of a policy cannot be read: give the policy itself, or its options');
}

/** The policy as it is now: what a verdict keeps, while the pins go on changing. */
export function snapshot(policy: Policy): Policy {
  if (policy.onChange === undefined) return policy;
  const { pins, issuerPins } = policy[policySources];
  return createFullPolicy({ pins: fixed(pins.parsed()), issuerPins: fixed(issuerPins.parsed()) }, policy);
}

type OnChange = NonNullable<Policy['onChange']>;

function readPins(input: PolicyOptions['pins']): Source {
  if (input === undefined) return absent;
  return liveStateOf(input) ?? fixed(parsePinSources(input as PinInput));
}

function fixed(parsed: ParsedPins): Source {
  return { parsed: () => parsed, gave: (pins) => pins === parsed.pins, onChange: undefined };
}

const absent: Source = /* @__PURE__ */ fixed({ pins: [], certificates: [] });

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
    const problem = `unknown ${where} option \`${shownOption(option)}\``;
    throw optionInvalid(shownOption(option), INLINE ? problem : problem + similarOption(option, known));
  }
}

/** The name of an option. Nothing but a word is repeated: a URL that was put in its place holds a password. */
function shownOption(option: string): string {
  return /^[\w$-]{1,60}$/.test(option) ? option : '…';
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
