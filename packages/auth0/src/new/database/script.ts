import type { AnyPieces, DocumentPieces, Need, SqlPieces } from '../clients/client.ts';
import { isDatabase, isDocuments, isSql, piecesOf } from '../clients/index.ts';
import { certpinPart, type Frame, requireOf } from '../frame.ts';
import type { DatabaseKey, Plan, UserColumn } from '../options.ts';
import { headComment, readSettingsPart, reportPart, settingsComment, unavailable } from '../parts.ts';
import { indent, joinParts, quoted } from '../text.ts';
import { userIdLine } from '../user-id-prefix.ts';
import { changeEmail } from './change-email.ts';
import { changePhoneNumber, changeUsername } from './change-identifier.ts';
import { changePassword } from './change-password.ts';
import { create } from './create.ts';
import { deleteUser } from './delete.ts';
import { getUser } from './get-user.ts';
import { login } from './login.ts';
import type { DatabaseTemplate, DocumentWords, SqlWords } from './template.ts';
import { verify } from './verify.ts';

const templates: Record<DatabaseKey, DatabaseTemplate> = {
  ...{ login, get_user: getUser, create, verify, change_password: changePassword, delete: deleteUser },
  ...{ change_email: changeEmail, change_username: changeUsername, change_phone_number: changePhoneNumber },
};

/** What a profile, and the check of a password, are made from. */
const profileColumns: readonly UserColumn[] = ['id', 'email', 'password', 'email_verified', 'nickname'];

/** A custom database script: one bare function. */
export function databaseScript(key: DatabaseKey, plan: Plan): string {
  const template = templates[key];
  const frame: Frame = { scope: 'function', plan };
  const pieces = piecesOf(plan.client);
  const { name, top, userId } = template;
  const body = joinParts([
    head(template, plan),
    userId === undefined || !plan.userIdPrefix ? '' : prefixPart(plan.userIdPrefix),
    top?.({ context: plan.context, isDatabase: isDatabase(pieces) }) ?? '',
    flowOf(template, pieces, frame),
    userId === 'made' ? profilePart(plan, pieces) : '',
    userId === 'taken apart' ? tableIdPart(plan) : '',
    userId === 'taken apart' && isDocuments(pieces) && hasOwnId(plan, pieces) ? objectIdPart(frame) : '',
    ...pieces.functions(frame, needsOf(template, pieces)),
    readSettingsPart(frame),
    concealPart(unavailable(pieces)),
    reportPart(name, pieces),
    certpinPart(frame),
  ]);
  return `function ${name}(${parametersOf(template, plan).join(', ')}) {\n${indent(body)}}\n`;
}

function flowOf({ sql, documents, http }: DatabaseTemplate, pieces: AnyPieces, frame: Frame): string {
  if (isSql(pieces)) return sql(sqlWords(pieces, frame));
  return isDocuments(pieces) ? documents(documentWords(pieces, frame)) : http;
}

function needsOf({ sqlNeeds, documentNeeds }: DatabaseTemplate, pieces: AnyPieces): readonly Need[] {
  if (isSql(pieces)) return sqlNeeds;
  return isDocuments(pieces) ? documentNeeds : ['request'];
}

function documentWords(pieces: DocumentPieces, frame: Frame): DocumentWords {
  const { plan } = frame;
  const { columns, bcrypt } = plan;
  return {
    bcrypt: requireOf(bcrypt, frame),
    isOtherError: pieces.isOtherError,
    has: (name) => columns.has(name),
    field: (name, value) => {
      const key = columns.get(name) ?? name;
      if (key === value) return key;
      return `${isWord(key) ? key : quoted(key)}: ${value}`;
    },
    of: (object, name) => memberOf(object, columns.get(name) ?? name),
    idOf: (id) => (hasOwnId(plan, pieces) ? `toObjectId(${id})` : id),
  };
}

const isWord = (name: string): boolean => /^[a-z_$][\w$]*$/i.test(name);

const memberOf = (object: string, name: string): string =>
  isWord(name) ? `${object}.${name}` : `${object}[${quoted(name)}]`;

const hasOwnId = ({ columns }: Plan, { ownId }: DocumentPieces): boolean => columns.get('id') === ownId;

function sqlWords(pieces: SqlPieces, frame: Frame): SqlWords {
  const { table, columns, bcrypt } = frame.plan;
  const column = (name: UserColumn): string => pieces.identifier(columns.get(name) ?? name);
  return {
    sql: (statement) => quoted(pieces.statement(statement)),
    bcrypt: requireOf(bcrypt, frame),
    isOtherError: pieces.isOtherError,
    table: table.split('.').map(pieces.identifier).join('.'),
    column,
    has: (name) => columns.has(name),
    profileColumns: profileColumns
      .filter((name) => columns.has(name))
      .map((name) => (columns.get(name) === name ? name : `${column(name)} AS ${name}`))
      .join(', '),
  };
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
    isDatabase(pieces) ? tableLine(plan, pieces) : `The API: ${api} It wants the header x-api-key.`,
    ...(plan.userIdPrefix === undefined ? [] : [userIdLine(plan.userIdPrefix)]),
    ...(plan.context ? ['context.organization is there where the user comes through an organization.'] : []),
  ]);
}

function tableLine({ table, columns }: Plan, pieces: AnyPieces): string {
  const [email, password] = [columns.get('email'), columns.get('password')];
  const names = [...columns].filter(([column, name]) => column !== name || profileColumns.includes(column));
  return `${isDocuments(pieces) ? 'Collection' : 'Table'}: ${table} (${names.map(([, name]) => name).join(', ')}). There is a unique index on ${email}, and ${password} is a bcrypt hash.`;
}

function prefixPart(prefix: string): string {
  return `// A user_id never changes, and no other database connection of the tenant has it too.
const USER_ID_PREFIX = ${quoted(prefix)};`;
}

/** login and get_user must give the same profile. */
function profilePart({ userIdPrefix, columns }: Plan, pieces: AnyPieces): string {
  const of = (name: UserColumn): string =>
    isDocuments(pieces) ? memberOf('user', columns.get(name) ?? name) : `user.${name}`;
  const check = isDatabase(pieces) ? '' : `  if (!user || !user.id) throw new Error('the answer holds no user');\n`;
  const fields = [
    `user_id: ${userIdPrefix ? `USER_ID_PREFIX + ${of('id')}` : `String(${of('id')})`}`,
    `email: ${of('email')}`,
    ...(columns.has('email_verified') ? [`email_verified: Boolean(${of('email_verified')})`] : []),
    ...(columns.has('nickname') ? [`nickname: ${of('nickname')}`] : []),
  ];
  return `// The same in login and in get_user.
function toProfile(user) {
${check}  return {
${indent(fields.map((field) => `${field},`).join('\n'), 4)}
  };
}`;
}

function tableIdPart({ userIdPrefix }: Plan): string {
  const body = userIdPrefix
    ? `if (!userId.startsWith(USER_ID_PREFIX)) throw new Error('not a user of this connection');
return userId.slice(USER_ID_PREFIX.length);`
    : 'return userId;';
  return `// Auth0 takes its own prefix away, and leaves the user_id of the profile.
function toTableId(userId) {
${indent(body)}
}`;
}

function objectIdPart(frame: Frame): string {
  return `// 24 hex digits are an ObjectId; what a migration has brought along may be a text.
function toObjectId(id) {
  const { ObjectId } = ${requireOf(frame.plan.client, frame)};
  return /^[0-9a-f]{24}$/.test(id) ? new ObjectId(id) : id;
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
