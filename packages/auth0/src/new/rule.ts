import { namespace } from './actions/template.ts';
import { isSql, piecesOf } from './clients/index.ts';
import { certpinPart, type Frame } from './frame.ts';
import type { Plan } from './options.ts';
import { ended, headComment, readSettingsPart, reportPart, settingsComment, unavailablePart } from './parts.ts';
import { indent, joinParts, quoted } from './text.ts';

const http = `async function findRoles() {
  const path = \`/users/\${encodeURIComponent(user.user_id)}/roles\`;
  const { data } = await request('GET', path, undefined, [200, 404]);
  return (data && data.roles) || [];
}`;

/** A Rule: one bare function, which puts the user's roles into the tokens. */
export function ruleScript(plan: Plan): string {
  const frame: Frame = { scope: 'function', plan };
  const pieces = piecesOf(plan.client);
  const body = joinParts([
    headComment([
      `Rule: puts the user's roles into the tokens; without an answer nobody is let in. It asks ${pieces.title}. Written by certpin auth0 new.`,
      ended,
      '',
      ...settingsComment(pieces, 'Settings of the Rules'),
      isSql(pieces)
        ? 'Table: user_roles (user_id, role).'
        : 'The API: GET /users/USER_ID/roles: 200 and { "roles": […] }, or 404. It wants the header x-api-key.',
    ]),
    namespace,
    unavailablePart(pieces),
    `findRoles().then(
  (roles) => {
    context.idToken[\`\${NAMESPACE}/roles\`] = roles;
    context.accessToken[\`\${NAMESPACE}/roles\`] = roles;
    callback(null, user, context);
  },
  (error) => {
    report(error);
    callback(new UnauthorizedError(UNAVAILABLE));
  },
);`,
    isSql(pieces)
      ? `async function findRoles() {
  const statement = ${quoted(pieces.statement('SELECT role FROM user_roles WHERE user_id = ?'))};
  const rows = await select(statement, [user.user_id]);
  return rows.map((row) => row.role);
}`
      : http,
    ...pieces.functions(frame, isSql(pieces) ? ['select'] : ['request']),
    readSettingsPart(frame),
    reportPart('addRoles', pieces),
    certpinPart(frame),
  ]);
  return `function addRoles(user, context, callback) {\n${indent(body)}}\n`;
}
