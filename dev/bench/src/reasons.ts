import type { Figure } from './figure.ts';

/** Why a target may not be met, and what was tried, by name and the beginning of what was measured. */
const reasons: readonly (readonly [name: string, what: string, reason: string])[] = [
  [
    'verdict',
    'time for',
    'Nearly all of it is what Node takes to hand out the certificate, right after a handshake, when the caches of the processor are cold: `getPeerX509Certificate()`, its bytes, and the Finished message that tells one handshake from the next. The certificate used to be read out of the session, which was faster and a second reader of what OpenSSL has read (decision 0026).',
  ],
  [
    'connect',
    'connections a second',
    'The last row shows how little there is to gain: ours against a client with one shared context that checks nothing, which misses both targets itself. What lies between the two are the options, listeners and objects of the guard, and `getPeerX509Certificate()`. Tried on the client that checks nothing: other curves, signature algorithms, no tickets (nothing gained), AES-128 first (a twentieth, and a weaker cipher for everybody). About a sixth of the time is OpenSSL reading the public key of the certificate.',
  ],
  [
    'reconnect',
    'agent',
    "A resumed handshake spares the client the certificate and its signature; what is left is the connection itself, Node's `TLSSocket`, and over TLS 1.3 a key exchange as before (`psk_dhe_ke`, for forward secrecy). With RSA the server is spared most, and the client becomes the slower one. Sessions are kept without their certificate, which OpenSSL would read again at each offer: before that nothing was gained. A client of Node's that checks nothing and does the same gained 2.1 with RSA-2048 (measured by hand, once); ours has a sixth less speed than that one, to what the guard makes for a connection and to Node's `noDelay` of agents. Tried: more connections at a time (1.87 with eight of them, less with more), and sessions that are heard only where few are kept (nothing gained).",
  ],
  [
    'databases',
    'mysql2: time to connect',
    "The driver resumes the TLS sessions of an `ssl` object by itself, so its peer makes no full handshake. `resumption: 'own'` is the like of it, and a choice of the policy; the next row but two has it.",
  ],
  [
    'databases',
    '',
    'What the driver reads and writes passes one stream more than with the plain driver; what can be taken at once passes without a second queue. A way for writes that leaves out the queue of this stream was tried and gained nothing. The figures lie near their targets, on either side of them: six runs of one day gave 0.93 to 1.00 for `SELECT 1` over mysql2.',
  ],
  [
    'scan',
    'targets',
    'A handshake in Node takes half a millisecond of CPU time and more. One thread does everything (decision 0034), and the server has the other core.',
  ],
  [
    'scan',
    'CPU',
    "Node's TLSSocket, its streams, and the list of targets come on top of the handshake, and the start of the process.",
  ],
  ['scan', 'memory', 'A scan makes much and forgets it, and V8 lets the space for that grow to 30 MB.'],
  [
    'start',
    'certpin get',
    "Node's own TLS, commander, and the code of the probe with its protocols. The command is a few CommonJS files, and loads what is asked for (decision 0024).",
  ],
  [
    'start',
    'require',
    "Beside its client it is within the target. Alone it pays for what the client pays otherwise: where another package and Node's own TLS were loaded before, it took 5 ms in place of 9 (measured by hand, once). The library is joined into a few files; one by one they took twice the time (decision 0008).",
  ],
];

export function reasonFor({ name, what }: Pick<Figure, 'name' | 'what'>): string | undefined {
  return reasons.find(([ofName, beginning]) => ofName === name && what.startsWith(beginning))?.[2];
}
