import { CertpinError } from '../errors.ts';
import { canonicalHost, isAddress } from '../host.ts';
import { ownOptions } from '../leaf/options.ts';
import { oneOf } from '../leaf/policy.ts';
import { createPolicy, type GivenPolicyOptions, type PolicyOptions, policyKeys } from './policy.ts';
import type { Policy } from './policy-type.ts';
import { refuseUnknownOptions } from './unknown-options.ts';

/** A policy for each server, if one client talks to several. Give `hosts` in place of `pins` and the other options of a policy. */
export interface HostOptions {
  /**
   * The policies by host: `'api.example.com'`, `'10.0.0.5'`, `'fd00::5'`. `'*.example.com'` stands for exactly one label more, and
   * `'**.example.com'` for one or more. Only the most exact entry applies: a name before `*.`, `*.` before `**.`, the longer `**.` before
   * the shorter. Ports make no difference.
   */
  readonly hosts?: Readonly<Record<string, GivenPolicyOptions | Policy>> | undefined;
  /**
   * What happens with a host that `hosts` does not name. Default `'refuse'`: no connection is opened, `ERR_HOST_UNPINNED`. `'verify'`: the
   * ordinary verification without a pin. The certificate must name the host, and its chain must lead to a CA that Node trusts (its own
   * list, or the `ca` of the connection).
   */
  readonly otherHosts?: 'refuse' | 'verify' | undefined;
}

export const hostKeys: readonly (keyof HostOptions)[] = ['hosts', 'otherHosts'];

/** One policy for every server, or one for each. */
export type ServerPolicies = Policy | HostPolicies;

/**
 * Checks a policy, or `hosts` in its place, once, when the configuration is made.
 *
 * @throws CertpinError `ERR_PIN_INVALID`, `ERR_OPTION_INVALID`
 */
export function createServerPolicies(options: (PolicyOptions & HostOptions) | Policy): ServerPolicies {
  if (typeof options !== 'object' || options === null) return createPolicy(options as Policy);
  const { hosts, otherHosts, ...others } = ownOptions(options as PolicyOptions & HostOptions);
  if (hosts === undefined) {
    if (otherHosts !== undefined) throw invalid('otherHosts', '`otherHosts` has a meaning only together with `hosts`');
    return createPolicy(options as GivenPolicyOptions | Policy);
  }
  refuseUnknownOptions(others, policyKeys, 'policy');
  const astray = policyKeys.find((key) => Object.hasOwn(others, key) && others[key] !== undefined);
  if (astray !== undefined)
    throw invalid(astray, `\`${astray}\` does not go together with \`hosts\`: move it into the entry of a host`);
  return new HostPolicies(hosts, oneOf('otherHosts', otherHosts, ['refuse', 'verify']) ?? 'refuse');
}

/** A policy, or the ordinary verification without one. */
type Rule = Policy | 'verify';

/**
 * What must hold for a server with these names: the entries of all names that have one. The same entry for several names counts once. If
 * entries contradict each other, no server fulfils them. No name: a server of which nothing is known.
 */
export function policiesFor(policies: ServerPolicies | 'verify', names: readonly string[]): readonly [Rule, ...Rule[]] {
  return policies instanceof HostPolicies ? policies.for(names) : [policies];
}

/** {@link policiesFor} a server with one name, or none. */
export function policyFor(policies: ServerPolicies | 'verify', host: string | undefined): Rule {
  return policiesFor(policies, host === undefined ? [] : [host])[0];
}

/** The error with which {@link policiesFor} refuses a server. undefined: the server has pins. */
export function hostRefusal(policies: ServerPolicies | 'verify', names: readonly string[]): Error | undefined {
  try {
    policiesFor(policies, names);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** The error for a server that no entry names. Text that is not a host may be a connection string with its password, so it is not shown. */
export function hostUnpinned(names: readonly string[]): CertpinError<'ERR_HOST_UNPINNED'> {
  const shown =
    names.map((name) => canonicalHost(name) ?? 'something that is not a host').join(' and ') || 'a host without a name';
  const message = `no pins for ${shown}: \`hosts\` does not name it, so nothing was sent; add it there with its pins, or say \`otherHosts: 'verify'\``;
  return new CertpinError('ERR_HOST_UNPINNED', message, { host: shown });
}

/** Every rule that may come to apply. */
export function everyRule(policies: ServerPolicies | 'verify'): readonly Rule[] {
  return policies instanceof HostPolicies ? policies.all() : [policies];
}

/** Made by {@link createServerPolicies}. A lookup takes one step for each label of a name, whatever the number of hosts. */
class HostPolicies {
  /** By canonical host, with the `*.` or `**.` of a pattern before it. */
  readonly #entries = new Map<string, Policy>();
  readonly #others: 'refuse' | 'verify';

  constructor(hosts: NonNullable<HostOptions['hosts']>, others: 'refuse' | 'verify') {
    if (typeof hosts !== 'object' || hosts === null || Array.isArray(hosts))
      throw invalid('hosts', "`hosts` must be an object: { 'api.example.com': { pins: … } }");
    for (const [index, [entry, options]] of Object.entries(hosts).entries()) {
      const key = canonicalEntry(entry, index + 1);
      if (this.#entries.has(key)) throw invalid('hosts', `\`hosts\` names ${key} twice`);
      this.#entries.set(key, createPolicy(options));
    }
    if (this.#entries.size === 0) throw invalid('hosts', '`hosts` is empty');
    this.#others = others;
  }

  for(names: readonly string[]): readonly [Rule, ...Rule[]] {
    const [first, ...more] = new Set(names.map((name) => this.#find(name)).filter((policy) => policy !== undefined));
    if (first !== undefined) return [first, ...more];
    if (this.#others === 'verify') return ['verify'];
    throw hostUnpinned(names);
  }

  all(): readonly Rule[] {
    return [...this.#entries.values(), ...(this.#others === 'verify' ? (['verify'] as const) : [])];
  }

  #find(name: string): Policy | undefined {
    const host = canonicalHost(name);
    if (host === undefined) return undefined;
    const exact = this.#entries.get(host);
    if (exact !== undefined || isAddress(host)) return exact;
    const [, ...parents] = parentsOf(host);
    const oneLabel = this.#entries.get(`*.${parents[0]}`);
    return (
      oneLabel ?? parents.map((parent) => this.#entries.get(`**.${parent}`)).find((policy) => policy !== undefined)
    );
  }
}

/** `a.b.c`, `b.c`, `c`. */
function parentsOf(name: string): string[] {
  const labels = name.split('.');
  return labels.map((_, index) => labels.slice(index).join('.'));
}

/** Text that is not a host is not repeated: a URL or a connection string in its place holds a password. */
function canonicalEntry(entry: string, place: number): string {
  const [, wildcard = '', rest = ''] = /^(\*\*?\.)?(.*)$/s.exec(entry) ?? [];
  const host = canonicalHost(rest);
  if (host !== undefined && !(wildcard !== '' && isAddress(host))) return wildcard + host;
  const message = `\`hosts\`: entry ${place} is not a host name, IP address or pattern ('*.example.com', '**.example.com'); write it without a port`;
  throw invalid('hosts', message);
}

function invalid(option: string, message: string): CertpinError<'ERR_OPTION_INVALID'> {
  return new CertpinError('ERR_OPTION_INVALID', message, { option });
}
