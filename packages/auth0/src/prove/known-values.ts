import type { RunScriptOptions } from '../run/run-script.ts';
import { type KnownValue, SHORTEST, spell } from './evidence.ts';
import type { ProofReport, RunSummary, ServerProof, Trial } from './report.ts';

/** What to look for in the received bytes: who logs in, with what, and what the configuration keeps secret. */
export function knownValues({
  args = {},
  user = {},
  configuration = {},
  secrets = {},
}: RunScriptOptions): KnownValue[] {
  const isSecret = /pass|secret|token|key|user|credential/i;
  const labelOf = (name: string): string => (/password/i.test(name) ? 'password' : 'user name');
  const named = Object.entries({ ...user, ...args }).map(([name, value]) => ({ label: labelOf(name), value }));
  const kept = [
    ...Object.entries(configuration).map(([name, value]) => ({ label: `configuration.${name}`, value })),
    ...Object.entries(secrets).map(([name, value]) => ({ label: `secrets.${name}`, value })),
  ];
  const secret = kept.flatMap(({ label, value }) => [
    ...(isSecret.test(label) ? [{ label, value }] : []),
    ...loginIn(value).map((part) => ({ label, value: part })),
  ]);
  return [...named, ...secret].filter((entry): entry is KnownValue => typeof entry.value === 'string');
}

/** A connection string is a secret because of the login in it, whatever its name. */
function loginIn(value: string | null): string[] {
  const [, login = ''] = /^[a-z][\w+.-]*:\/\/([^/\s]*)@/i.exec(value ?? '') ?? [];
  if (login === '') return [];
  const parts = [login, ...login.split(':')].filter((part) => part !== '');
  return [value ?? '', ...new Set([...parts, ...parts.map(decoded)])];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The part of it that a name may leak. A user name may be part of a server's name without a leak. */
export function carriedBy(name: string, known: readonly KnownValue[]): string[] {
  return known
    .filter(({ label, value }) => value.length >= SHORTEST && !/user/i.test(label))
    .filter(({ value }) => spell(value).some((spelling) => name.includes(spelling)))
    .map(({ label }) => label);
}

/** How much of a printed line a report keeps. */
const LENGTH = 600;

/** What a script printed, without the values: also without their other spellings. A short value is removed if it is a word of its own. */
export function printedWithoutValues(text: string, known: readonly KnownValue[]): string {
  const patterns = [...known]
    .filter(({ value }) => value !== '')
    .sort((a, b) => b.value.length - a.value.length)
    .flatMap(({ label, value }) =>
      value.length < SHORTEST
        ? label === 'user name'
          ? []
          : [{ label, pattern: `(?<!\\w)${literal(value)}(?!\\w)` }]
        : spell(value).map((spelling) => ({ label, pattern: literal(Buffer.from(spelling, 'latin1').toString()) })),
    );
  const cleaned = patterns.reduce((so, { label, pattern }) => so.replace(new RegExp(pattern, 'g'), `[${label}]`), text);
  return cleaned.length <= LENGTH ? cleaned : `${cleaned.slice(0, LENGTH)} …`;
}

/** The report, without the values that the run was given: a script can put them into its errors. */
export function withoutValues(report: ProofReport, known: readonly KnownValue[]): ProofReport {
  const longest = known.filter(({ value }) => value.length >= SHORTEST).sort((a, b) => b.value.length - a.value.length);
  const clean = (text: string): string =>
    longest.reduce((cleaned, { label, value }) => cleaned.replaceAll(value, `[${label}]`), text);
  const run = ({ error, findings, printed, ...others }: RunSummary): RunSummary => ({
    ...others,
    printed: printed.map((text) => printedWithoutValues(text, known)),
    error: error && { ...error, message: clean(error.message) },
    findings: findings.map(({ code, message }) => ({ code, message: clean(message) })),
  });
  const trial = (one: Trial): Trial => ({ ...one, elsewhere: one.elsewhere.map(clean), run: run(one.run) });
  return {
    ...report,
    reasons: report.reasons.map(clean),
    control: run(report.control),
    servers: report.servers.map(
      (server): ServerProof => ({ ...server, host: clean(server.host), trials: server.trials.map(trial) }),
    ),
    together: report.together.map(trial),
  };
}

function literal(text: string): string {
  return text.replace(/[^\w\s]/g, '\\$&');
}
