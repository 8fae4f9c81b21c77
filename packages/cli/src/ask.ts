import { type Certificate, CertpinError } from 'certpin';
import { inspect, type ProbeOptions, type ProbeReport, parseTarget, type Target } from 'certpin/probe';
import { forms } from './forms/forms.ts';

/** What became of one target. */
export interface Answer {
  /** Undefined where it could not be read. */
  readonly target?: Target | undefined;
  /** The very value of `probe()`. */
  readonly report: ProbeReport;
  /** Every presented certificate, the server's own first; none where the question failed. */
  readonly certificates: readonly Certificate[];
}

/**
 * `probe()`, and the certificates themselves, which a report has no room for. Nothing is thrown.
 *
 * @param format the form that is asked for: a target that it is not for is not connected to
 */
export async function ask(text: string, options: ProbeOptions, format: string | undefined): Promise<Answer> {
  let target: Target | undefined;
  try {
    target = parseTarget(text);
    const { label, protocol } = target;
    const reason = format === undefined ? undefined : forms[format]?.refusal?.(target);
    if (reason !== undefined) throw new CertpinError('ERR_TARGET_INVALID', reason, { reason });
    const certificates = (await inspect(text, options)).certificates as readonly Certificate[];
    const chain = certificates.map((certificate) => certificate.toJSON());
    const [certificate] = chain;
    if (certificate === undefined) {
      throw new CertpinError('ERR_CONNECTION_CLOSED', 'the server presented no certificate', { protocol });
    }
    return { target, report: { target: label, protocol, ok: true, certificate, chain }, certificates };
  } catch (error) {
    const { code = 'ERR_UNKNOWN', message } = error as NodeJS.ErrnoException;
    const failure = { code, message: message.trim() || code };
    const label = target?.label ?? '(unreadable)';
    return {
      target,
      report: { target: label, protocol: target?.protocol ?? null, ok: false, error: failure },
      certificates: [],
    };
  }
}
