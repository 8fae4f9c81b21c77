import { isSql, piecesOf } from '../clients/index.ts';
import { keptVariable } from '../clients/keep.ts';
import { certpinPart, type Frame } from '../frame.ts';
import type { HookPoint, Plan } from '../options.ts';
import {
  dependenciesLine,
  ended,
  headComment,
  readSettingsPart,
  reportPart,
  requirePart,
  settingsComment,
  unavailablePart,
} from '../parts.ts';
import { indent, joinParts, quoted } from '../text.ts';
import { type HookTemplate, hookTemplates } from './template.ts';

/** A Hook: a module that is a function. */
export function hookScript(point: HookPoint, plan: Plan): string {
  const template = hookTemplates[point];
  const frame: Frame = { scope: 'module', plan };
  const pieces = piecesOf(plan.client);
  const sql = (statement: string): string => quoted(isSql(pieces) ? pieces.statement(statement) : statement);
  return joinParts([
    head(template, plan),
    requirePart(frame),
    template.top ?? '',
    unavailablePart(pieces),
    keptVariable,
    flow(template, isSql(pieces) ? (template.sql?.({ sql }) ?? '') : template.http),
    ...pieces.functions(frame, isSql(pieces) ? [template.sqlNeed ?? 'select'] : ['request']),
    readSettingsPart(frame),
    reportPart(point, pieces),
    certpinPart(frame),
  ]);
}

function flow({ parameters, work, success, failure }: HookTemplate, body: string): string {
  const [name, ...values] = work;
  const names = values.map((value) => (value === 'client.id' ? 'clientId' : value.replace(/^.*\./, '')));
  return `module.exports = function (${[...parameters, 'cb'].join(', ')}) {
  ${name}(${['context.webtask.secrets', ...values].join(', ')}).then(
    ${success},
    (error) => {
      report(error);
      cb(${failure});
    },
  );
};

async function ${name}(${['secrets', ...names].join(', ')}) {
${indent(body)}
}`;
}

function head({ point, api, table }: HookTemplate, plan: Plan): string {
  const pieces = piecesOf(plan.client);
  return headComment([
    `Hook for the extension point ${point}. It asks ${pieces.title}. Written by certpin auth0 new.`,
    ended,
    '',
    ...dependenciesLine(plan),
    ...settingsComment(pieces, 'Secrets'),
    isSql(pieces) ? `Table: ${table}.` : `The API: ${api} It wants the header x-api-key.`,
  ]);
}
