import type { Figure } from './figure.ts';

/** Why a target may not be met, and what was tried. The key is the name and the beginning of what was measured. */
const reasons: readonly (readonly [name: string, what: string, reason: string])[] = [
  [
    'verdict',
    'time for',
    'Nearly all of it is the time that Node needs to give the certificate, right after a handshake, when the caches of the processor are cold. This is `getPeerX509Certificate()`, its bytes, and the Finished message that tells one handshake from the next. We used to read the certificate out of the session. That was faster, but it was a second reader of what OpenSSL has read (decision 0026).',
  ],
  [
    'connect',
    'connections a second',
    'The last row shows how little there is to gain. It compares our client with one that has one shared context and checks nothing, and that misses both targets itself. The difference between the two is the options, listeners and objects of the guard, and `getPeerX509Certificate()`. We tried this on the client that checks nothing: other curves, signature algorithms, and no tickets gained nothing. AES-128 first gained a twentieth, but it is a weaker cipher for everybody. About a sixth of the time is OpenSSL reading the public key of the certificate.',
  ],
  [
    'reconnect',
    'agent',
    "A resumed handshake saves the client the certificate and its signature. The rest remains: the connection itself, Node's `TLSSocket`, and over TLS 1.3 a key exchange as before (`psk_dhe_ke`, for forward secrecy). With RSA the server saves most, and the client becomes the slower side. Sessions are kept without their certificate, which OpenSSL would read again at each offer. Before that, nothing was gained. A client of Node that checks nothing and does the same gained 2.1 with RSA-2048 (measured by hand, once). Our client is a sixth slower than that one. The causes are what the guard makes for a connection, and the `noDelay` of Node's agents. We tried more connections at a time: 1.87 with eight of them, less with more. We also tried to listen for sessions only when few are kept, which gained nothing.",
  ],
  [
    'databases',
    'mysql2: time to connect',
    "The driver resumes the TLS sessions of an `ssl` object by itself, so the peer makes no full handshake. `resumption: 'own'` does the same, but the policy must choose it. The row for it is three rows further down.",
  ],
  [
    'databases',
    '',
    'What the driver reads and writes passes through one more stream than with the plain driver. Data that can be taken at once passes without a second queue. We tried a way for writes that avoids the queue of this stream, which gained nothing. The figures lie near their targets, on either side of them. Six runs on one day gave 0.93 to 1.00 for `SELECT 1` over mysql2.',
  ],
  [
    'scan',
    'targets',
    'A handshake in Node takes half a millisecond of CPU time or more. One thread does everything (decision 0034), and the server has the other core.',
  ],
  [
    'scan',
    'CPU',
    "Node's TLSSocket, its streams, the list of targets, and the start of the process come on top of the handshake.",
  ],
  ['scan', 'memory', 'A scan makes many short-lived objects, and V8 lets the space for them grow to 30 MB.'],
  [
    'start',
    'certpin get',
    "Node's own TLS, commander, and the code of the probe with its protocols. The command is a few CommonJS files, and loads only what it needs (decision 0024).",
  ],
  [
    'start',
    'require',
    "After its client it is within the target. Alone it also pays for what the client loads otherwise. When another package and Node's own TLS were loaded before, it took 5 ms instead of 9 (measured by hand, once). The library is joined into a few files; separate files took twice the time (decision 0008).",
  ],
];

export function reasonFor({ name, what }: Pick<Figure, 'name' | 'what'>): string | undefined {
  return reasons.find(([ofName, beginning]) => ofName === name && what.startsWith(beginning))?.[2];
}
