import type { Figure } from './figure.ts';

/** Why a target may not be met, and what was tried, by name and the beginning of what was measured. */
const reasons: readonly (readonly [name: string, what: string, reason: string])[] = [
  [
    'verdict',
    'time for',
    'Half of what is left is `getSession()`, out of which the certificate is read; right after a handshake the caches of the processor are cold, and a repetition of the same call takes a quarter. `getPeerX509Certificate()` takes as long, and takes the certificate away from those who ask later. From Node 22 on the peer itself takes less than half of what it took before.',
  ],
  [
    'connect',
    'connections a second',
    "A plain client with one shared context, which does nothing else, reaches 1.3 times the unverified client here: the rest is Node's `TLSSocket`, the kernel's connection and the handshake. The list of CAs is not loaded, the context is shared, and the verdict is a comparison of bytes; what is left is the guard's own objects and listeners, a tenth.",
  ],
  [
    'reconnect',
    'agent',
    'Over TLS 1.3 a resumption saves the client a signature check, and costs it the binder of the ticket, another ticket to be read, and a key exchange as before (`psk_dhe_ke`, for forward secrecy). A plain client of Node gains as little. Over TLS 1.2 there is no key exchange, and more is gained.',
  ],
  [
    'databases',
    'mysql2: time to connect',
    "The driver resumes the TLS sessions of an `ssl` object by itself, so its peer makes no full handshake. With `resumption: 'own'` ours resumes too; that is a choice of the policy, and off by default.",
  ],
  [
    'databases',
    '',
    'What the driver reads and writes passes one stream more than with the plain driver. A chunk that can be taken at once passes without a second queue; handing the driver the TLS socket itself would give it a stream before its verdict.',
  ],
  [
    'scan',
    'targets',
    'A handshake in Node takes about a millisecond of CPU time, and one process has one loop for them. The certificates are taken as OpenSSL has parsed them, and the context is shared. Several processes would pay where the cores are idle; here the server has the other one.',
  ],
  [
    'scan',
    'CPU',
    "Node's TLSSocket, its streams, and the list of targets come on top of the handshake, and the start of the process. Each certificate is read, its own signature verified, and its report made, whatever is printed of it.",
  ],
  [
    'scan',
    'memory',
    'Most of it is the young generation of V8, which it lets grow where much is made and forgotten. `node --max-semi-space-size=2` takes a quarter off; a program cannot set that for itself.',
  ],
  [
    'start',
    'certpin get',
    "Node's own TLS, commander, and the code of the probe with its protocols. The command is joined into a few files (a hundred and thirty before, and three times a bare Node); what only one action needs is loaded there. Node's compile cache was tried (Node 24) and gained nothing that could be measured.",
  ],
  [
    'start',
    'require',
    "Alone, Node's own `tls`, `net` and `crypto` take 6 ms of it, which the client loads too. The library is joined into a few files; one by one they took twice the time (decision 0008).",
  ],
];

export function reasonFor({ name, what }: Pick<Figure, 'name' | 'what'>): string | undefined {
  return reasons.find(([ofName, beginning]) => ofName === name && what.startsWith(beginning))?.[2];
}
