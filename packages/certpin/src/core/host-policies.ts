import { printable } from './certificate.ts';
import { CertpinError } from './errors.ts';
import { canonicalHost, isAddress } from './host.ts';
import { createPolicy, oneOf, type Policy, type PolicyOptions, policyKeys, refuseUnknownOptions } from './policy.ts';

/** A policy for each server, where one client talks to several. These stand in place of `pins` and the other options of a policy. */
export interface HostOptions {
  /**
   * The policies by host: `'api.example.com'`, `'10.0.0.5'`, `'fd00::5'`; `'*.example.com'` for exactly one label more, and
   * `'**.example.com'` for one or more. The most exact entry counts, alone: a name before `*.`, `*.` before `**.`, the longer `**.`
   * before the shorter. Ports make no difference.
   */
  readonly hosts?: Readonly<Record<string, PolicyOptions | Policy>> | undefined;
  /**
   * What becomes of a host that `hosts` does not name. Default `'refuse'`: no connection is opened, `ERR_HOST_UNPINNED`. `'verify'`:
   * the ordinary verification without a pin: a CA that Node trusts (its own list, or the `ca` of the connection), and the host name.
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
  if (typeof options !== 'object' || options === null) return createPolicy(options);
  const { hosts, otherHosts, ...others } = options as PolicyOptions & HostOptions;
  if (hosts === undefined) {
    if (otherHosts !== undefined) throw invalid('otherHosts', '`otherHosts` stands beside `hosts` only');
    return createPolicy(options as PolicyOptions | Policy);
  }
  refuseUnknownOptions(others, policyKeys, 'policy');
  const astray = policyKeys.find((key) => others[key] !== undefined);
  if (astray !== undefined)
    throw invalid(astray, `\`${astray}\` has no place beside \`hosts\`: it belongs to a host in there`);
  return new HostPolicies(hosts, oneOf('otherHosts', otherHosts, ['refuse', 'verify']) ?? 'refuse');
}

/**
 * The policy that counts for `host`; `'verify'`: none, but the ordinary verification.
 *
 * @throws CertpinError `ERR_HOST_UNPINNED`
 */
export function policyFor(policies: ServerPolicies | 'verify', host: string | undefined): Policy | 'verify' {
  return policies instanceof HostPolicies ? policies.for(host) : policies;
}

/** The error with which {@link policyFor} refuses `host`; undefined where it has pins. */
export function hostRefusal(policies: ServerPolicies, host: string): Error | undefined {
  try {
    policyFor(policies, host);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** Made by {@link createServerPolicies}. Looked up by one step for each label of a name, however many hosts there are. */
class HostPolicies {
  /** By canonical host, with the `*.` or `**.` of a pattern before it. */
  readonly #entries = new Map<string, Policy>();
  readonly #others: 'refuse' | 'verify';

  constructor(hosts: NonNullable<HostOptions['hosts']>, others: 'refuse' | 'verify') {
    if (typeof hosts !== 'object' || hosts === null || Array.isArray(hosts))
      throw invalid('hosts', "`hosts` must be an object: { 'api.example.com': { pins: … } }");
    for (const [entry, options] of Object.entries(hosts)) {
      const key = canonicalEntry(entry);
      if (this.#entries.has(key)) throw invalid('hosts', `\`hosts\` names ${printable(key)} twice`);
      this.#entries.set(key, createPolicy(options));
    }
    if (this.#entries.size === 0) throw invalid('hosts', '`hosts` is empty');
    this.#others = others;
  }

  for(host: string | undefined): Policy | 'verify' {
    const policy = this.#find(canonicalHost(host ?? ''));
    if (policy !== undefined) return policy;
    if (this.#others === 'verify') return 'verify';
    const shown = printable(host ?? 'a host without a name');
    const message = `no pins for ${shown}: \`hosts\` does not name it, so nothing was sent; add it there with its pins, or say \`otherHosts: 'verify'\``;
    throw new CertpinError('ERR_HOST_UNPINNED', message, { host: shown });
  }

  #find(host: string | undefined): Policy | undefined {
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

function canonicalEntry(entry: string): string {
  const [, wildcard = '', rest = ''] = /^(\*\*?\.)?(.*)$/s.exec(entry) ?? [];
  const host = canonicalHost(rest);
  if (host !== undefined && !(wildcard !== '' && isAddress(host))) return wildcard + host;
  const message = `\`hosts\`: '${printable(entry)}' is no host name, no IP address and no pattern ('*.example.com', '**.example.com'); a port has no place in it`;
  throw invalid('hosts', message);
}

function invalid(option: string, message: string): CertpinError<'ERR_OPTION_INVALID'> {
  return new CertpinError('ERR_OPTION_INVALID', message, { option });
}
