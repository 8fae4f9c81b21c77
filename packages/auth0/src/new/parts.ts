import type { AnyPieces, ClientPieces } from './clients/client.ts';
import { isDatabase, isDirectory, piecesOf } from './clients/index.ts';
import { dependencyVersion, type Frame, parameters, requireOf, subpaths } from './frame.ts';
import type { Plan } from './options.ts';
import { comment, quoted } from './text.ts';

/** The functions that every script has, whatever it calls. */

export function readSettingsPart(frame: Frame): string {
  const names = piecesOf(frame.plan.client).settings;
  const settings = frame.scope === 'module' ? 'secrets' : 'configuration';
  return `function readSettings(${parameters(frame)}) {
  const names = [${names.map(quoted).join(', ')}];
  const missing = names.filter((name) => !${settings}[name]);
  if (missing.length > 0) throw new Error(\`not configured: \${missing.join(', ')}\`);
  return ${settings};
}`;
}

/** Only the log says what happened. `what` is what failed: `login`. */
export function reportPart(
  what: string,
  { reported = 'error.code ? error : error.cause || error' }: AnyPieces,
): string {
  return `// For the log. Neither certpin nor a driver puts a password into its message.
function report(error) {
  const { code, name, message } = ${reported};
  console.error(\`${what} failed: \${code || name}: \${message}\`);
}`;
}

/** The text that an end user may read. */
export function unavailable(pieces: AnyPieces): string {
  const what = isDatabase(pieces) ? 'database' : isDirectory(pieces) ? 'directory' : 'service';
  return `The user ${what} cannot be reached at the moment. Try again later.`;
}

/** Where the settings are entered, and what they mean. */
export function settingsComment(pieces: ClientPieces, where: string): string[] {
  const pins = pieces.settings.at(-1);
  return [
    `${where}: ${pieces.settings.join(', ')}.`,
    `${pins}: the SHA-256 fingerprint of the server's certificate (certpin get). Before the certificate changes, put that of the next one behind it, with a space between them: then either is accepted, and no script changes.`,
  ];
}

/** The constant with the text that an end user may read. */
export function unavailablePart(pieces: AnyPieces): string {
  return `// The user may read this: it says nothing of the cause.
const UNAVAILABLE = ${quoted(unavailable(pieces))};`;
}

/** What a reader of a Rule or a Hook must know first. */
export const ended =
  'Auth0 ended Rules and Hooks on 18 November 2026: this runs where they still run, and is to be moved to an Action.';

export function dependenciesLine(plan: Plan): string[] {
  const names = dependenciesOf(plan).map(({ name, version }) => `${name}@${version || 'latest'}`);
  return names.length === 0 ? [] : [`Dependencies: ${names.join(', ')}.`];
}

export function headComment(paragraphs: readonly string[]): string {
  return comment(paragraphs);
}

/** The packages of an Action or a Hook. */
export function dependenciesOf(plan: Plan): { readonly name: string; readonly version: string }[] {
  const { binding } = piecesOf(plan.client);
  return [
    ...(binding === undefined ? [] : [{ name: plan.client, version: dependencyVersion(plan.client, plan) }]),
    ...(plan.form === 'npm' ? [{ name: 'certpin', version: dependencyVersion('certpin', plan) }] : []),
  ];
}

/** The packages at the top of a module. */
export function requirePart(frame: Frame): string {
  const { plan } = frame;
  const { binding } = piecesOf(plan.client);
  const [subpath, name] = subpaths[plan.client];
  return [
    ...(binding === undefined ? [] : [`${binding}${requireOf(plan.client, frame)};`]),
    ...(plan.form === 'npm' ? [`const { ${name} } = require(${quoted(`certpin/${subpath}`)});`] : []),
  ].join('\n');
}
