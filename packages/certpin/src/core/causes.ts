import type { RefusalCode } from '../leaf/checks.ts';
import { printable, shorten } from './certificate.ts';
import { formatPin } from './format-pin.ts';
import type { Known } from './known.ts';

/** The cause and the next step that an explanation gives for a refusal. */
export interface Cause {
  /** undefined: no cause is more likely than another. */
  readonly cause?: string;
  readonly next: string;
}

/**
 * A table of what is known of a refusal and what follows. The first row that fits gives the cause and the next step.
 *
 * An attacker in between chooses which certificates are sent, and their content. A row that such certificates alone can select must not say
 * that the server is the right one. It must not advise a pin of what was presented. A row prints only configured hashes as pins.
 */
interface Row {
  readonly codes: readonly RefusalCode[];
  readonly when: (known: Known) => boolean;
  readonly says: (known: Known) => Cause;
}

export function findCause(known: Known): Cause {
  const { code } = known.verdict;
  const row = rows.find(({ codes, when }) => codes.includes(code) && when(known)) as Row; // the last row of a code always fits
  return row.says(known);
}

const always = (): boolean => true;

const COMPARE =
  "on the server itself, or from its operator over another channel, get the true hashes: 'certpin get server.crt', or\n" +
  "    'openssl x509 -in server.crt -noout -fingerprint -sha256'; add a pin only if they equal what was presented";

const SEVERAL =
  '\n    a server may have several certificates, one for each kind of key (RSA, ECDSA), address or name: compare with each of them';

const PIN_OF_CA =
  "\n    if the configured pin is a CA's: pin the CA with `issuerPins`, by its own certificate (PEM) if the server does not send it";

const BEFORE_THE_SERVER =
  'if the file is from the server itself or from its operator, and the server will present it: add its pin\n' +
  '    beside the configured one first, so that both match';

const mismatches: readonly Omit<Row, 'codes'>[] = [
  {
    when: ({ confusedPin }) => confusedPin !== undefined,
    says: (known) => {
      const pin = known.confusedPin as NonNullable<typeof known.confusedPin>;
      const [configured, found, right] =
        pin.kind === 'public-key'
          ? ['certificate', 'public key', 'public-key']
          : ['public-key', 'certificate', 'certificate'];
      const cause = `the configured ${configured} pin is the hash of ${the(found, known)}; spell it as a ${right} pin: ${formatPin(pin)}`;
      return { cause, next: `in \`pins\`, in place of that hash: ${formatPin(pin)}` };
    },
  },
  {
    when: ({ leafPinOfIssuers }) => leafPinOfIssuers !== undefined,
    says: () => ({
      cause: "the pin is the leaf's, not a CA's; a leaf is pinned with `pins`",
      next: 'move that pin from `issuerPins` to `pins`',
    }),
  },
  {
    when: ({ hasPinnedKey, fromFile }) => hasPinnedKey && !fromFile,
    says: () => ({
      cause: 'the certificate was renewed with the same key; a public-key pin would have survived that',
      next: COMPARE,
    }),
  },
  {
    when: ({ hasPinnedKey }) => hasPinnedKey,
    says: () => ({
      cause: 'the certificate in the file has the key of a pinned one; a public-key pin would hold for both',
      next: BEFORE_THE_SERVER,
    }),
  },
  {
    when: ({ signerPin, namesHost, host, fromFile }) =>
      signerPin !== undefined && (namesHost || fromFile || host === undefined),
    says: ({ signerPin }) => {
      const { pin, isSent, isRespelled, isAmongPins } = signerPin as NonNullable<typeof signerPin>;
      const found = pin.kind === 'certificate' ? 'certificate' : 'public key';
      const cause = isAmongPins
        ? "the pin is the CA's, not the leaf's; a CA is pinned with `issuerPins`"
        : `the configured issuer pin is the hash of the CA's ${found}; spell it as a ${pin.kind} pin`;
      const spelling = isRespelled ? `, spelled as a ${pin.kind} pin` : '';
      const next = isSent
        ? `in \`issuerPins\`, the hash that is configured already${spelling}: ${formatPin(pin)}`
        : "move the CA's certificate, as it is configured, to `issuerPins`; its hash is not enough, because the server does not send the certificate";
      return { cause, next };
    },
  },
  {
    // Anybody with a certificate of that CA can make this row fit.
    when: ({ signerPin }) => signerPin !== undefined,
    says: ({ host }) => ({
      cause: `the pin is a CA's, and this certificate of the CA does not name ${named(host)}. Another server answers, or somebody with a certificate of that CA is between you and the server`,
      next: `ask the operator why the certificate does not name ${named(host)}; a CA is pinned with \`issuerPins\`, and then the name must match too`,
    }),
  },
  {
    when: ({ isPinnedSentAlong, fromFile }) => isPinnedSentAlong && fromFile,
    says: () => ({
      cause:
        'a later certificate of the file has the configured pin, but no chain of signatures leads from the first one to it',
      next: "use a file in which the server's own certificate stands alone, or first",
    }),
  },
  {
    when: ({ isPinnedSentAlong }) => isPinnedSentAlong,
    says: () => ({
      cause:
        "a certificate with the configured pin was sent along, but no chain of signatures leads to it from the server's own. That proves nothing: anybody can send it along",
      next: COMPARE + SEVERAL,
    }),
  },
  {
    when: ({ lacksIssuer, fromFile }) => lacksIssuer && fromFile,
    says: () => ({
      cause: 'the file does not hold the pinned issuer, and a hash alone does not show what the issuer has signed',
      next: "give the CA's own certificate (PEM), from its operator, as `issuerPins` in place of its hash; then the signature decides",
    }),
  },
  {
    when: ({ lacksIssuer }) => lacksIssuer,
    says: () => ({
      cause:
        'the server does not send the pinned issuer, and a hash alone does not show what the issuer has signed: it may be your server, or anybody',
      next: "give the CA's own certificate (PEM), from its operator, as `issuerPins` in place of its hash; then the signature decides",
    }),
  },
  {
    when: ({ fromFile }) => fromFile,
    says: () => ({ cause: 'it is another certificate, with another key', next: BEFORE_THE_SERVER }),
  },
  {
    when: ({ verdict }) => verdict.policy.pins.length === 0,
    says: ({ leaf }) => {
      const own = leaf?.selfSigned ? ', because it has signed itself' : '';
      return {
        cause: `no chain of signatures leads from the certificate to the pinned CA${own}: it was replaced, or somebody is between you and the server`,
        next: COMPARE + SEVERAL,
      };
    },
  },
  {
    when: ({ hasLostName }) => hasLostName,
    says: ({ host }) => ({
      cause: `another server answers, or somebody is between you and the server: the pinned certificate names ${named(host)}, and this one does not`,
      next: COMPARE + SEVERAL,
    }),
  },
  {
    when: always,
    says: ({ mayBeOfCa }) => ({
      cause:
        'the certificate was replaced, with another key, or somebody is between you and the server: both look the same from here',
      next: COMPARE + SEVERAL + (mayBeOfCa ? PIN_OF_CA : ''),
    }),
  },
];

const rows: readonly Row[] = [
  ...mismatches.map((row): Row => ({ codes: ['ERR_PIN_MISMATCH'], ...row })),
  {
    codes: ['ERR_CHAIN_INVALID'],
    when: always,
    says: ({ fromFile }) => ({
      cause: `a certificate that names the pinned CA, or ${fromFile ? 'stands beside it' : 'is sent with it'}, proves nothing: anybody can make one, and only a verified signature counts`,
      next: `on the server itself, or from its operator over another channel, check that the chain in the files is right:
    'openssl verify -CAfile ca.crt -untrusted intermediate.crt server.crt'${
      fromFile
        ? ''
        : `; and get the true hashes: 'certpin get server.crt', or
    'openssl x509 -in server.crt -noout -fingerprint -sha256'. If they differ from what was presented, it is not your server`
    }`,
    }),
  },
  {
    codes: ['ERR_HOSTNAME_MISMATCH'],
    when: ({ host }) => host === undefined || host === '',
    says: () => ({ next: 'give the host that is called, or `servername`' }),
  },
  {
    // Here the pin is the leaf's own. So the handshake and the pin have shown whose certificate this is.
    codes: ['ERR_HOSTNAME_MISMATCH'],
    when: ({ leafPin }) => leafPin !== undefined,
    says: (known) => ({
      cause: `the certificate names ${namesOf(known)}`,
      next: `the pin itself matched. Call the server by a name of its certificate, or give such a name as \`servername\`. Or ask its operator to renew the certificate with this name. With a pin of the leaf itself, \`hostnameVerification: 'ignore'\` is safe too`,
    }),
  },
  {
    // A CA vouches for others too. Anybody with a certificate of it may have chosen the names. So no advice uses these names.
    codes: ['ERR_HOSTNAME_MISMATCH'],
    when: always,
    says: (known) => ({
      cause: `the certificate names ${namesOf(known)}: another server of the pinned CA answers, or somebody with a certificate of that CA`,
      next: `check the host that was called: ${named(known.host)}. If it is right, its operator must give the server a certificate of the CA with this name. Do not call a name that you read in a certificate`,
    }),
  },
  {
    codes: ['ERR_CERTIFICATE_EXPIRED'],
    when: ({ leafPin, fromFile }) => leafPin !== undefined && fromFile,
    says: () => ({
      cause: 'the file holds an old certificate',
      next: "renew the certificate; until then `expired: 'accept'` keeps the pin and drops the date",
    }),
  },
  {
    codes: ['ERR_CERTIFICATE_EXPIRED'],
    when: ({ leafPin }) => leafPin !== undefined,
    says: () => ({
      cause: 'the server still serves its old certificate; the operator has to renew it',
      next: "renew the certificate; until then `expired: 'accept'` keeps the pin and drops the date",
    }),
  },
  {
    codes: ['ERR_CERTIFICATE_EXPIRED'],
    when: always,
    says: () => ({
      cause: 'the operator has not renewed the certificate, or somebody uses an old certificate of the pinned CA',
      next: 'renew the certificate',
    }),
  },
  {
    codes: ['ERR_CERTIFICATE_NOT_YET_VALID'],
    when: always,
    says: () => ({
      cause: 'the clock of this machine, or of the one that made the certificate, is wrong',
      next: "compare the clocks: 'date -u' on both machines",
    }),
  },
  {
    codes: ['ERR_CA_UNTRUSTED'],
    when: always,
    says: () => ({ next: "give the CA as `ca`, or drop `caVerification: 'require'`: the pin itself matched" }),
  },
  { codes: ['ERR_TLS_VERSION'], when: always, says: () => ({ next: 'the server must offer TLS 1.2 or 1.3' }) },
  {
    // Anybody can write a certificate like this, so only the operator can tell its true hash.
    codes: ['ERR_PIN_UNCHECKABLE'],
    when: ({ leaf }) => leaf !== undefined && leaf.publicKeySha256 === null,
    says: () => ({
      next: `on the server itself, or from its operator over another channel, check whether its own certificate is like this:
    'certpin get server.crt'. If it is, make a new certificate, or pin the certificate's hash from that file`,
    }),
  },
  {
    codes: ['ERR_PIN_UNCHECKABLE'],
    when: ({ leaf }) => leaf !== undefined,
    says: () => ({
      next: 'only a full handshake shows a certificate: remove the session cache of the code that opens these connections',
    }),
  },
  {
    codes: ['ERR_PIN_UNCHECKABLE'],
    when: ({ fromFile }) => fromFile,
    says: () => ({ next: 'get a file with a readable certificate from the server itself, or from its operator' }),
  },
  {
    codes: ['ERR_PIN_UNCHECKABLE'],
    when: always,
    says: () => ({ next: 'nothing was sent; without a certificate, nobody can tell the server from an impostor' }),
  },
];

function the(what: string, { fromFile }: Known): string {
  return fromFile ? `the ${what} in the file` : `the presented ${what}`;
}

function named(host: string | undefined): string {
  return host === undefined ? 'the host' : printable(host);
}

/** A certificate may have any number of names. A person reads this many. */
const MAX_NAMES = 10;

function namesOf({ leaf }: Known): string {
  const names = leaf?.toJSON().subjectAltNames ?? [];
  const more = names.length - MAX_NAMES;
  const shown = names.slice(0, MAX_NAMES).map(shorten).join(', ') + (more > 0 ? `, and ${more} more` : '');
  return shown || 'nothing but its subject';
}
