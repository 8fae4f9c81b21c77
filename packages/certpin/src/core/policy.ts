import { optionInvalid } from '../errors.ts';
import { ownOptions, shownOption } from '../leaf/options.ts';
import { oneOf } from '../leaf/policy.ts';
import { type LivePins, liveStateOf } from './live-pins.ts';
import { type ParsedPins, type PinInput, parsePinSources } from './parse-pin.ts';
import { type Policy, policyBrand, policySources } from './policy-type.ts';
import { refuseUnknownOptions } from './unknown-options.ts';

/** What must hold before a connection may be used. Each switch is independent of the others. */
export interface PolicyOptions {
  /** Pins on the leaf, the server's own certificate or public key. Any match is a match. */
  readonly pins?: PinInput | LivePins | undefined;
  /**
   * Pins on an issuer: a CA certificate or CA key from which a verified chain must lead to the leaf. Any match is a match, of these or of
   * `pins`. Give the issuer as PEM, DER or `X509Certificate`: then it is found even if the server does not send it. A public-key pin proves
   * only the key of an issuer, and not the dates or limits of its certificate.
   */
  readonly issuerPins?: PinInput | LivePins | undefined;
  /**
   * Default `'refuse'`. `'accept'` lets a pinned certificate pass after the end of its validity. A certificate whose validity has
   * not begun is always refused.
   */
  readonly expired?: 'refuse' | 'accept' | undefined;
  /**
   * Whether the leaf must name the host (RFC 9525). Default: `'ignore'` if the leaf itself is pinned, because the pin is then the
   * identity. `'require'` if an issuer is pinned, because an issuer vouches for more than one server.
   */
  readonly hostnameVerification?: 'require' | 'ignore' | undefined;
  /**
   * Default `'ignore'`: the pin alone is the trust. `'require'`: the chain must also lead to a CA that Node trusts (its own list,
   * or the `ca` of the connection).
   */
  readonly caVerification?: 'require' | 'ignore' | undefined;
  /**
   * Default `'refuse'`: every connection is a full handshake, in which the server shows its certificate. `'own'`: a connection may resume
   * the TLS session of an earlier one that had a matching verdict. The certificate of the earlier connection is judged again. For ten
   * minutes at most, a server that shares its session keys with the pinned one is then accepted too. `'own'` has no effect together with
   * `caVerification: 'require'`.
   */
  readonly resumption?: 'refuse' | 'own' | undefined;
}

/** The type that refuses a policy without pins at compile time too. A variable of the environment may be undefined. */
export type SomePins = { readonly pins: PolicyOptions['pins'] } | { readonly issuerPins: PolicyOptions['issuerPins'] };

/** {@link PolicyOptions} of which one is a pin. */
export type GivenPolicyOptions = PolicyOptions & SomePins;

/** The options of a policy by name; adapters whose options hold more than a policy pick these. */
export const policyKeys: readonly (keyof PolicyOptions)[] = [
  ...(['pins', 'issuerPins', 'expired', 'hostnameVerification', 'caVerification', 'resumption'] as const),
];

/**
 * Checks a policy, once, when the configuration is made.
 *
 * @throws CertpinError `ERR_PIN_INVALID` for a pin that cannot be read. `ERR_OPTION_INVALID` for no pin at all, an unknown option or an
 * unknown value: a misspelt security option is never ignored
 */
export function createPolicy(options: GivenPolicyOptions | Policy): Policy {
  if (isBranded(options)) return options[policyBrand] === options ? takePolicy(options) : createFromCopy(options);
  refuseUnknownOptions(options, policyKeys, 'policy');
  const own: PolicyOptions = ownOptions(options);
  if (own.pins === undefined && own.issuerPins === undefined) throw noPins();
  return createFrom({ pins: readPins(own.pins), issuerPins: readPins(own.issuerPins) }, own);
}

function noPins(): Error {
  return optionInvalid(
    'pins',
    'a policy needs pins: give `pins` (or `issuerPins`); if a variable holds them, is it set?',
  );
}

function isBranded(options: object): options is Policy {
  return typeof options === 'object' && options !== null && Object.hasOwn(options, policyBrand);
}

/** The keys of a policy among other options. A copy of a policy has two more keys, which follow from the pins. */
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

/** Policies that this copy of the library has made or checked. They need no second check. */
const known = /* @__PURE__ */ new WeakSet<Policy>();

function createFrom({ pins, issuerPins }: Sources, options: PolicyOptions): Policy {
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

/** A policy from another copy of the library, perhaps of another version. None of its demands may be ignored. */
function takePolicy(policy: Policy): Policy {
  if (known.has(policy)) return policy;
  checkKeys(policy, 'a policy of another version of certpin');
  readSwitches(policy);
  sourcesOf(policy);
  known.add(policy);
  return policy;
}

/** A copy of a policy (a spread) is read as options, with every key. Live pins stay live. */
function createFromCopy(copy: Policy): Policy {
  checkKeys(copy, 'a copy of a policy');
  const { pins, issuerPins } = sourcesOf(copy[policyBrand]);
  const sources = {
    pins: readCopied('pins', copy.pins, pins),
    issuerPins: readCopied('issuerPins', copy.issuerPins, issuerPins),
  };
  if (Object.values(sources).every((source) => source === absent)) throw noPins();
  return createFrom(sources, ownOptions(copy));
}

function readCopied(option: string, input: PolicyOptions['pins'], source: Source): Source {
  if (source.gave(input)) return source.parsed().pins.length === 0 ? absent : source;
  const isDeepCopy = Array.isArray(input) && input.some((pin) => Object.hasOwn(Object(pin), 'sha256'));
  if (isDeepCopy && source.onChange !== undefined)
    throw optionInvalid(
      option,
      `\`${option}\`: a copy of live pins would not change with them; give the live set itself`,
    );
  return readPins(input);
}

function checkKeys(policy: Policy, what: string): void {
  for (const [key, value] of Object.entries(policy)) {
    if (value === undefined || policyKeysIn(policy).includes(key)) continue;
    throw optionInvalid(
      shownOption(key),
      `${what} demands \`${shownOption(key)}\`, which this version does not know; update certpin`,
    );
  }
}

function sourcesOf(policy: Policy): Sources {
  const sources = Object(policy)[policySources] as Sources | undefined;
  const isComplete = [sources?.pins, sources?.issuerPins].every((source) => typeof source?.gave === 'function');
  if (isComplete) return sources as Sources;
  throw optionInvalid('policy', 'this copy of a policy cannot be read: give the policy itself, or its options');
}

/** The policy as it is at this moment. A verdict keeps it, while live pins change on. */
export function snapshot(policy: Policy): Policy {
  if (policy.onChange === undefined) return policy;
  const { pins, issuerPins } = sourcesOf(policy);
  return createFrom({ pins: fixed(pins.parsed()), issuerPins: fixed(issuerPins.parsed()) }, policy);
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
