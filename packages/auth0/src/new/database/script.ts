import { isSql, piecesOf } from '../clients/index.ts';
import { certpinPart, type Frame, requireOf } from '../frame.ts';
import type { DatabaseKey, Plan } from '../options.ts';
import { headComment, readSettingsPart, reportPart, settingsComment, unavailable } from '../parts.ts';
import { indent, joinParts, quoted } from '../text.ts';
import { changeEmail } from './change-email.ts';
import { changePhoneNumber, changeUsername } from './change-identifier.ts';
import { changePassword } from './change-password.ts';
import { create } from './create.ts';
import { deleteUser } from './delete.ts';
import { getUser } from './get-user.ts';
import { login } from './login.ts';
import { columns, type DatabaseTemplate } from './template.ts';
import { verify } from './verify.ts';

const templates: Record<DatabaseKey, DatabaseTemplate> = {
  ...{ login, get_user: getUser, create, verify, change_password: changePassword, delete: deleteUser },
  ...{ change_email: changeEmail, change_username: changeUsername, change_phone_number: changePhoneNumber },
};

/** A custom database script: one bare function. */
export function databaseScript(key: DatabaseKey, plan: Plan): string {
  const template = templates[key];
  const frame: Frame = { scope: 'function', plan };
  const pieces = piecesOf(plan.client);
  const { name, top, profile, prefix, sqlNeeds } = template;
  const words = {
    sql: (statement: string) => quoted(isSql(pieces) ? pieces.statement(statement) : statement),
    bcrypt: requireOf(plan.bcrypt, frame),
    duplicateCode: isSql(pieces) ? pieces.duplicateCode : '',
  };
  const body = joinParts([
    head(template, plan),
    prefix === undefined ? '' : prefixPart(plan.name),
    top?.({ context: plan.context, isSql: isSql(pieces) }) ?? '',
    isSql(pieces) ? template.sql(words) : template.http,
    profile === undefined ? '' : profilePart(isSql(pieces)),
    ...pieces.functions(frame, isSql(pieces) ? sqlNeeds : ['request']),
    readSettingsPart(frame),
    concealPart(unavailable(pieces)),
    reportPart(name),
    certpinPart(frame),
  ]);
  return `function ${name}(${parametersOf(template, plan).join(', ')}) {\n${indent(body)}}\n`;
}

function parametersOf({ parameters }: DatabaseTemplate, { context }: Plan): string[] {
  if (parameters.some((parameter) => parameter.startsWith('...'))) return [...parameters];
  return [...parameters, ...(context ? ['context'] : []), 'callback'];
}

function head({ key, api, caveat }: DatabaseTemplate, plan: Plan): string {
  const pieces = piecesOf(plan.client);
  const warning = caveat?.(plan.context);
  return headComment([
    `Custom database script "${key}" for ${pieces.title}; written by certpin auth0 new.`,
    ...(warning === undefined ? [] : [warning]),
    '',
    ...settingsComment(pieces, 'Settings, in Custom Database > Database Settings of the connection'),
    isSql(pieces)
      ? `Table: users (${columns}). There is a unique index on email, and password is a bcrypt hash.`
      : `The API: ${api} It wants the header x-api-key.`,
    ...(plan.context ? ['context.organization is there where the user comes through an organization.'] : []),
  ]);
}

function prefixPart(name: string): string {
  return `// A user_id never changes, and no other database connection of the tenant has it too.
const USER_ID_PREFIX = '${name}|';`;
}

/** login and get_user must give the same profile. */
function profilePart(sql: boolean): string {
  const check = sql ? '' : `  if (!user || !user.id) throw new Error('the answer holds no user');\n`;
  return `// The same in login and in get_user.
function toProfile(user) {
${check}  return {
    user_id: USER_ID_PREFIX + user.id,
    email: user.email,
    email_verified: Boolean(user.email_verified),
    nickname: user.nickname,
  };
}`;
}

function concealPart(message: string): string {
  return `// The message reaches the OAuth client, so it says nothing of the cause.
function conceal(error) {
  report(error);
  return new UnauthorizedError(
    '${message}',
  );
}`;
}
