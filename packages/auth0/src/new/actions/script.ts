import type { AnyPieces, Need } from '../clients/client.ts';
import { isDirectory, isSql, piecesOf } from '../clients/index.ts';
import { keptVariable } from '../clients/keep.ts';
import { certpinPart, type Frame } from '../frame.ts';
import type { ActionTrigger, Plan } from '../options.ts';
import {
  dependenciesLine,
  headComment,
  readSettingsPart,
  reportPart,
  requirePart,
  settingsComment,
  unavailablePart,
} from '../parts.ts';
import { joinParts, quoted } from '../text.ts';
import { credentialsExchange } from './credentials-exchange.ts';
import { postChangePassword } from './post-change-password.ts';
import { postLogin } from './post-login.ts';
import { postUserRegistration } from './post-user-registration.ts';
import { preUserRegistration } from './pre-user-registration.ts';
import { customEmailProvider, customPhoneProvider } from './providers.ts';
import { sendPhoneMessage } from './send-phone-message.ts';
import type { ActionTemplate } from './template.ts';

const templates: Record<ActionTrigger, ActionTemplate> = {
  'post-login': postLogin,
  'credentials-exchange': credentialsExchange,
  'pre-user-registration': preUserRegistration,
  'post-user-registration': postUserRegistration,
  'post-change-password': postChangePassword,
  'send-phone-message': sendPhoneMessage,
  'custom-email-provider': customEmailProvider,
  'custom-phone-provider': customPhoneProvider,
};

/** The version of a trigger for which its template is written. */
export function triggerVersion(trigger: ActionTrigger): string {
  return templates[trigger].version;
}

/** An Action: a module that exports a handler. */
export function actionScript(trigger: ActionTrigger, plan: Plan): string {
  const template = templates[trigger];
  const frame: Frame = { scope: 'module', plan };
  const pieces = piecesOf(plan.client);
  const words = {
    sql: (statement: string) => quoted(isSql(pieces) ? pieces.statement(statement) : statement),
    unavailable: 'UNAVAILABLE',
  };
  const { write, need } = partOf(template, pieces);
  const flow = write?.(words) ?? '';
  return joinParts([
    head(template, plan),
    requirePart(frame),
    template.top ?? '',
    flow.includes('UNAVAILABLE') ? unavailablePart(pieces) : '',
    isDirectory(pieces) ? '' : keptVariable,
    flow,
    ...pieces.functions(frame, [need]),
    readSettingsPart(frame),
    reportPart(trigger, pieces),
    certpinPart(frame),
  ]);
}

/** What a template does with this kind of server. */
interface Part {
  /** undefined: nothing. */
  readonly write: ActionTemplate['sql'];
  readonly need: Need;
  /** What the server must have, for the head of the script. */
  readonly has: string;
}

function partOf(template: ActionTemplate, pieces: AnyPieces): Part {
  if (isDirectory(pieces)) {
    const { directory: write, directoryNeed: need = 'findPerson' } = template;
    return { write, need, has: `${pieces.url}\nThe directory: ${pieces.keeps[need]}` };
  }
  if (isSql(pieces)) {
    const { sql: write, sqlNeed: need = 'select', table } = template;
    return { write, need, has: `Table: ${table}.` };
  }
  return { write: template.http, need: 'request', has: `The API: ${template.api} It wants the header x-api-key.` };
}

function head(template: ActionTemplate, plan: Plan): string {
  const { trigger, version, purpose } = template;
  const pieces = piecesOf(plan.client);
  return headComment([
    `Action for the trigger ${trigger} (${version}): ${purpose}. It asks ${pieces.title}. Written by certpin auth0 new.`,
    '',
    ...dependenciesLine(plan),
    ...settingsComment(pieces, 'Secrets'),
    partOf(template, pieces).has,
  ]);
}
