import type { ConnectionOptions, DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { Certificate } from '../core/certificate.ts';
import type { Policy } from '../core/policy.ts';
import { type SharedTls, shareTls } from './contexts.ts';
import type { KnownVerdict } from './repeated-verdict.ts';
import { withoutCertificate } from './session-certificate.ts';
import type { Proof, VerifiedSession } from './sessions.ts';

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
    showCertificates(socket, proof.known.verdict.presented);
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

/** Node shows no certificate on a resumed connection. Who asks for one (SCRAM channel binding) gets what was proven. */
function showCertificates(socket: TLSSocket, [leaf, ...issuers]: readonly Certificate[]): void {
  const legacy = (certificate: Certificate | undefined): DetailedPeerCertificate =>
    certificate?.x509.toLegacyObject() as unknown as DetailedPeerCertificate;
  const show = (detailed?: boolean): DetailedPeerCertificate => {
    const shown = legacy(leaf);
    if (detailed !== true) return shown;
    let last = shown;
    for (const issuer of issuers) {
      last.issuerCertificate = legacy(issuer);
      last = last.issuerCertificate;
    }
    last.issuerCertificate = last;
    return shown;
  };
  socket.getPeerCertificate = show as TLSSocket['getPeerCertificate'];
  socket.getPeerX509Certificate = () => leaf?.x509;
}
