import type { Entry, FilePins, Presented } from '@certpin/pins-file';
import { matchesPin, plainWords } from '@certpin/pins-file';
import { type Certificate, createPolicy, formatPin, type Policy, parsePin } from 'certpin';
import { FileReader } from '../files/file-reader.ts';
import type { Io } from '../io.ts';
import { judgeAnswer } from '../pins-file/judge-answer.ts';
import { type AddressAnswer, failedAnswer, fetchAnswer } from '../scan/answer.ts';

/** What every address of a target has shown, or why it has shown nothing. */
export async function askEveryAddress(
  entry: Entry,
  timeoutMs: number | undefined,
  io: Io,
): Promise<readonly AddressAnswer[]> {
  const { target, label, protocol, servername } = entry;
  const shown = { target, label };
  const how = { timeoutMs, protocol, servername, lookup: io.lookup, files: new FileReader({}, io), format: undefined };
  try {
    const allAddresses = !('socketPath' in target); // A unix socket has none.
    const answer = await fetchAnswer(shown, { ...how, allAddresses, retries: 1, brief: true });
    if (answer.addresses !== undefined) return answer.addresses;
    if (answer.key !== undefined) return [];
    return [{ address: label, answer }];
  } catch (error) {
    return [{ address: label, answer: failedAnswer(shown, error, protocol) }];
  }
}

interface Judged {
  readonly next: string;
  /** The pins that leave at the end. */
  readonly old?: readonly string[];
  readonly after: FilePins;
  readonly now: Date;
}

/** Each answer, judged by the next pin alone, and by the pins that the file would have. */
export function judgePresented(
  entry: Entry,
  answers: readonly AddressAnswer[],
  { next, old = [], after, now }: Judged,
): readonly Presented[] {
  const alone = withPolicy(entry, { pins: [next], issuerPins: [], revoked: after.revoked });
  const whole = withPolicy(entry, after);
  return answers.map(({ address, answer }) => {
    const reached = answer.failure === undefined;
    const byNext = alone && judgeAnswer(alone, answer, now);
    const byAll = whole && judgeAnswer(whole, answer, now);
    const [isNext, fits] = [byNext, byAll].map((one) => one?.verdict?.ok === true && !refused.has(one.status));
    const why = isNext
      ? 'it presents the next certificate'
      : reasonFor(answer.certificates[0], byNext?.reason ?? '', { next, old });
    const reason = answer.failure === undefined ? why : plainWords(answer.failure, entry.label, address);
    return { address, reached, next: isNext === true, fits: fits === true, reason };
  });
}

const refused: ReadonlySet<string> = new Set(['revoked', 'refused']);

/** What is presented instead of the next certificate, in words that help. */
function reasonFor(
  leaf: Certificate | undefined,
  reason: string,
  { next, old }: Required<Pick<Judged, 'next' | 'old'>>,
): string {
  if (leaf === undefined) return 'it presents no certificate';
  const isOf = (text: string): boolean => matchesPin(leaf, parsePin(text));
  if (isOf(next)) return `it presents the next certificate, but ${reason}`;
  return `it presents ${old.some(isOf) ? 'the old certificate, ' : ''}${leaf.certificateSha256}`;
}

/** The same target under other pins. undefined: there is no pin left. */
function withPolicy(entry: Entry, { pins, issuerPins, revoked }: FilePins): Entry | undefined {
  if (pins.length + issuerPins.length === 0) return undefined;
  const { expired, hostnameVerification, knownCertificates } = entry.policy;
  const whole = knownCertificates.filter(({ certificateSha256 }) => issuerPins.includes(certificateSha256));
  const policy: Policy = createPolicy({
    ...{ expired, hostnameVerification },
    ...(pins.length === 0 ? { pins: undefined } : { pins: [...pins] }),
    // The whole certificate, if the file contains it: then the server need not send it.
    issuerPins: issuerPins.length === 0 ? undefined : [...issuerPins, ...whole.map(({ x509 }) => x509.toString())],
  });
  const known = entry.revoked.filter(({ pin }) => revoked.includes(formatPin(pin)));
  return { ...entry, policy, revoked: known };
}
