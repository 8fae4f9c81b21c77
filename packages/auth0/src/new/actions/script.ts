import { isSql, piecesOf } from '../clients/index.ts';
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

/** The version of a trigger that its template is written for. */
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
  const flow = isSql(pieces) ? (template.sql?.(words) ?? '') : template.http(words);
  return joinParts([
    head(template, plan),
    requirePart(frame),
    template.top ?? '',
    flow.includes('UNAVAILABLE') ? unavailablePart(pieces) : '',
    keptVariable,
    flow,
    ...pieces.functions(frame, isSql(pieces) ? [template.sqlNeed ?? 'select'] : ['request']),
    readSettingsPart(frame),
    reportPart(trigger),
    certpinPart(frame),
  ]);
}

function head({ trigger, version, purpose, api, table }: ActionTemplate, plan: Plan): string {
  const pieces = piecesOf(plan.client);
  return headComment([
    `Action for the trigger ${trigger} (${version}): ${purpose}. It asks ${pieces.title}. Written by certpin auth0 new.`,
    '',
    ...dependenciesLine(plan),
    ...settingsComment(pieces, 'Secrets'),
    isSql(pieces) ? `Table: ${table}.` : `The API: ${api} It wants the header x-api-key.`,
  ]);
}
