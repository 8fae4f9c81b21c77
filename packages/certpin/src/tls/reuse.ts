import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { Policy } from '../core/policy.ts';
import { type SharedTls, shareTls } from './contexts.ts';
import { showCertificates } from './presented.ts';
import type { KnownVerdict } from './repeated-verdict.ts';
import type { Proof, VerifiedSession } from './sessions.ts';
import { withoutCertificate } from './smaller-session.ts';

/** Whose connections may share something. */
export interface ReuseScope {
  /** What stands for the client's configuration. */
  readonly owner: object;
  readonly policy: Policy;
  /** What the connection goes through. */
  readonly way: unknown;
  readonly host: string | undefined;
  readonly port: number | undefined;
}

/**
 * What one connection takes over from earlier ones of its configuration, and leaves to later ones: the secure context, and, where
 * the policy allows it, TLS sessions that followed a matching verdict.
 */
export class Reuse {
  readonly #scope: ReuseScope;
  #shared: SharedTls | undefined;
  #server: string | undefined;
  #offered: VerifiedSession | undefined;
  #proof: Proof | undefined;

  constructor(scope: ReuseScope) {
    this.#scope = scope;
  }

  /** The options for `tls.connect`, with the shared context and a session to offer. */
  prepare(options: ConnectionOptions): ConnectionOptions {
    const { owner, policy, way, host, port } = this.#scope;
    this.#shared = shareTls(owner, policy, options, way);
    if (this.#shared === undefined) return options;
    const { secureContext, sessions } = this.#shared;
    if (policy.resumption !== 'own' || host === undefined || port === undefined) return { ...options, secureContext };
    const { servername, ALPNProtocols, path } = options;
    this.#server = JSON.stringify([host, port, path, servername, ALPNProtocols]);
    this.#offered = sessions.take(this.#server, policy);
    return { ...options, secureContext, ...(this.#offered && { session: this.#offered.session }) };
  }

  /** Whether sessions of the connection are kept. */
  get mayResume(): boolean {
    return this.#server !== undefined;
  }

  /**
   * What the server on a resumed connection has proven: it knows the secret of a session that certpin made with it, kept, and offered.
   * undefined where nothing was offered; then nothing is proven.
   */
  resumed(socket: TLSSocket): KnownVerdict | undefined {
    const proof = this.#offered?.proof;
    if (proof === undefined || socket.getProtocol() !== proof.known.peer.tlsVersion) return undefined;
    this.#proof = proof;
    // Node shows no certificate on a resumed connection. Who asks for one (SCRAM channel binding) gets what was proven.
    const [leaf] = proof.known.verdict.presented;
    if (leaf !== undefined) showCertificates(socket, leaf.x509);
    return proof.known;
  }

  /** A full handshake had this verdict. */
  proved(known: KnownVerdict | undefined): void {
    this.#proof = known && this.mayResume ? { known, provenAt: Date.now() } : undefined;
  }

  /** Keeps a session of the connection, whose verdict has matched. */
  keep(session: Buffer): void {
    if (this.#server === undefined || this.#proof === undefined) return;
    this.#shared?.sessions.keep(this.#server, { session: withoutCertificate(session), proof: this.#proof });
  }

  /** The connection was refused, or ended before its verdict. */
  drop(): void {
    this.#proof = undefined;
    if (this.#server !== undefined) this.#shared?.sessions.drop(this.#server);
  }
}
