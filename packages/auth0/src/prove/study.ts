import { X509Certificate } from 'node:crypto';
import { inspect } from 'certpin/probe';
import type { Opening } from './opening.ts';
import type { ProofCa } from './proof-ca.ts';
import type { Observation } from './stage.ts';
import type { Server, Target } from './trial.ts';

/** Finds out what is needed to take a server's place. */
export async function study(server: Server, ca: ProofCa): Promise<Target> {
  const opening = server.watch.read() ?? { speech: 'http', tls: true, atOnce: true };
  const chain = (opening.tls ? await readChain(server, opening) : undefined) ?? [];
  const { Forger } = await import('./mint.ts');
  return { server, opening, chain, forger: chain.length === 0 ? undefined : await Forger.create(chain, ca) };
}

/** What the genuine server presents. undefined: it cannot be asked. */
async function readChain(
  { host, port }: Server,
  { speech, atOnce }: Opening,
): Promise<readonly X509Certificate[] | undefined> {
  const shown = host.includes(':') ? `[${host}]` : host;
  const protocol = atOnce || speech === 'http' || speech === 'mongodb' ? 'tls' : speech;
  try {
    const { certificates } = await inspect(`tls://${shown}:${port}`, { protocol });
    return certificates.map((certificate) => new X509Certificate((certificate as { der: Uint8Array }).der));
  } catch {
    return undefined;
  }
}

/**
 * Servers with several certificates present sometimes one and sometimes another. What the proof imitated may not be what the script pins.
 */
export function differences(targets: readonly Target[], { handshakes }: Observation): string[] {
  return targets
    .filter(({ chain: [leaf] }) => leaf !== undefined && !handshakes.has(leaf.fingerprint256))
    .map(
      ({ server: { host, port } }) => `${host}:${port}: the proof was shown another certificate than the script was`,
    );
}
