import type { Node, ObjectExpression, VariableDeclarator } from 'estree';
import { type AnyCall, ancestors, calledMethod, nameOf, parentOf, unwrap } from '../ast.ts';
import { packageOf } from '../clients.ts';
import { HOLE } from '../markers.ts';
import { defineRule, type Rule } from '../rule.ts';
import { isBlank, isKeyName, isLabel, isPhrase, isSecretName, isType, secretWithin, speakingKey } from '../secrets.ts';
import { isPartOfText } from '../text.ts';
import type { Values } from '../values.ts';

/** Properties that show that a password opens something. */
const BESIDE =
  /^(?:db_?|pg_?|mysql_?|smtp_?)?(?:host|hostname|server|user|username|user_?name|database|db|port|login|url|uri|base_?url|client_?id|access_?key_?id|key_?id|region|account|key|cert|pfx|tenant|domain|bind_?dn)$/i;
const HEADER = /^(?:x-api-key|(?:proxy-)?authorization)$/i;
const SCHEME = /^(?:Bearer|Basic|Token|ApiKey)\s+/i;
const URL_WITH_PASSWORD = /^\s*[a-z][\w+.-]*:\/\/([^\s/:@]*):([^\s/@]+)@/i;
const SETTING_WITH_PASSWORD = /(?:^|;)\s*(?:password|pwd)\s*=\s*([^;\s]+)/i;
const DIRECTORY = /^ldap(?:ts|js)$/;
/** The user of a URL that only shows how URLs are written. */
const ANY_USER = /^(?:user(?:name)?|usr|login|me|name|db_?user|[<[{$%].*)?$/i;
const ANY_PASSWORD = /^(?:pass(?:word|wd)?|pwd|pw|secret|db_?pass(?:word)?)$/i;

export const noHardcodedCredentials: Rule = defineRule({
  name: 'no-hardcoded-credentials',
  severity: 'error',
  description: 'A password, a key or a connection string with a password is written into the script',
  messages: {
    password: {
      happens:
        '{{name}} is written into the script: whoever may read the script, its repository or its backups has it.',
      instead: '{{place}}',
    },
    within: {
      happens:
        'The value of {{name}} stands in this text: everybody who can read the script, its repository or its backups has it.',
      instead: '{{place}}',
    },
    url: {
      happens:
        'A connection string with a password is written into the script: whoever may read the script, its repository or its backups has it.',
      instead: '{{place}}',
    },
    privateKey: {
      happens:
        'A private key is written into the script: whoever may read the script, its repository or its backups has it.',
      instead: '{{place}}',
    },
  },
  create({ values, script, report }) {
    const place =
      script.kind === 'action'
        ? 'Keep it in the secrets of the Action: event.secrets.'
        : script.kind === 'other'
          ? 'Read it from the environment, or from a store of secrets.'
          : 'Keep it in the settings of the connection: configuration.';
    const data = { place };
    /** Places that were reported: a key of AWS has two parts, but is one finding. */
    const seen = new Set<Node>();
    let hasKeyOfAws = false;
    const reportName = (node: Node, name: string): void => {
      if (seen.has(node)) return;
      seen.add(node);
      hasKeyOfAws ||= /secret_?access_?key$/i.test(name);
      report(node, 'password', { data: { ...data, name } });
    };
    const textOf = (node: Node): string => {
      const value = values.of(node);
      return value.kind === 'text' ? value.text : '';
    };
    /** A text may be the default of a setting: process.env.PASSWORD || '…' */
    const textsOf = (node: Node): string[] =>
      values.possible(node).flatMap((value) => (value.kind === 'text' ? [value.text] : []));
    /** @param isGiven it is given to a client. Then a label is what it seems to be: a poor password */
    const isWritten = (node: Node, isGiven: boolean): boolean =>
      textsOf(node).some((written) => {
        const text = written.replace(SCHEME, '').trim();
        if (text.includes(HOLE) || isBlank(text)) return false;
        return isGiven ? !(isLabel(text) && isPhrase(text)) : !isLabel(text) && !isPhrase(text);
      });
    const isWrittenHeader = (node: Node, name: string): boolean =>
      isWritten(node, false) && (!/authorization$/i.test(name) || textsOf(node).some((text) => SCHEME.test(text)));
    const checkHeader = (name: string, value: Node | undefined, place: Node): boolean => {
      const isHeader = value !== undefined && HEADER.test(name) && isWrittenHeader(value, name);
      if (isHeader) reportName(place, name);
      return isHeader;
    };
    /** request.setHeader('Authorization', '…'), and parameters.append('client_secret', '…') */
    const checkSet = (name: string, value: Node | undefined, place: Node): void => {
      if (checkHeader(name, value, place) || value === undefined || !isKeyName(name)) return;
      if (isWritten(value, false)) reportName(place, name);
    };
    const checkText = (node: Node): void => {
      const text = textOf(node);
      if (text === '' || isPartOfText(node)) return;
      if (/-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s*[\w+/]/.test(text)) report(node, 'privateKey', { data });
      const [, user = '', password = ''] = URL_WITH_PASSWORD.exec(text) ?? [];
      const setting = /(?:server|data source)\s*=/i.test(text) ? SETTING_WITH_PASSWORD.exec(text)?.[1] : undefined;
      const found = password === '' ? (setting ?? '') : password;
      const isShown = password !== '' && ANY_USER.test(user) && ANY_PASSWORD.test(password);
      if (found !== '' && !found.includes(HOLE) && !isBlank(found) && !isShown) {
        report(node, 'url', { data });
        return;
      }
      const name = secretWithin(text);
      if (name !== undefined) report(node, 'within', { data: { ...data, name } });
      const key = speakingKey(text);
      if (name === undefined && key !== undefined && !isReported(node)) reportName(node, key);
    };
    /** Whether the object or the call that contains a text already has a finding. */
    const isReported = (node: Node): boolean => {
      const parent = parentOf(node);
      // const accessKeyId = '…', with a secret key that is reported at its own place
      if (parent?.type === 'VariableDeclarator' || parent?.type === 'AssignmentExpression') return hasKeyOfAws;
      const around = parent?.type === 'Property' ? parentOf(parent) : parent;
      return around?.type === 'ObjectExpression' && around.properties.some((property) => seen.has(property));
    };
    /** const CLIENT_SECRET = '…', if its text is not a word, and is not reported where it is used. */
    const checkConstant = ({ id, init }: VariableDeclarator): void => {
      if (id.type !== 'Identifier' || !init || !isKeyName(id.name) || !isWritten(init, false)) return;
      if (!isRandomLiteral(init)) return;
      const uses = values.variable(id)?.references ?? [];
      if (!uses.some(({ identifier }) => seen.has(parentOf(identifier as Node) as Node))) reportName(init, id.name);
    };
    const isRandomLiteral = (node: Node): boolean => unwrap(node).type === 'Literal' && isRandom(textOf(node));
    /** Without anything next to it, a text that names a kind of key is not a key: 'RS256-signing-key' */
    const isLoneKey = (name: string, value: Node): boolean =>
      isKeyName(name) && isRandomLiteral(value) && !/key|secret|token|password/i.test(textOf(value));
    const constants: VariableDeclarator[] = [];
    const texts: Node[] = [];
    const collect = (node: Node): void => {
      texts.push(node);
    };
    const checkCall = (node: AnyCall): void => {
      const method = calledMethod(node);
      const [first, second] = node.arguments;
      // request.setHeader('Authorization', '…'), superagent's .set('x-api-key', '…')
      if (method !== undefined && /^(?:set|setHeader|header|append|setRequestHeader)$/.test(method.name) && first)
        checkSet(textOf(first), second, node);
      // The bind of a directory: its name and its password.
      const isBind = method?.name === 'bind' && DIRECTORY.test(packageOf(values.of(method.object)) ?? '');
      if (isBind && second && isWritten(second, true)) reportName(second, 'the password of bind');
      // Basic, made here: Buffer.from('user:password'), btoa('user:password')
      const callee = values.of(node.callee as Node);
      const isBase64 =
        callee.kind === 'global' && /^(?:(?:globalThis\.)?btoa|Buffer\.from|Buffer)$/.test(callee.path.join('.'));
      const [, user, password = ''] = /^([\w.@-]+):(\S+)$/.exec(isBase64 && first ? textOf(first) : '') ?? [];
      if (user !== undefined && isGoodSecret(password) && isBasic(node)) reportName(node, 'the password of Basic');
    };
    const isGoodSecret = (text: string): boolean => !text.includes(HOLE) && !isBlank(text) && !isLabel(text);
    /** It becomes base64, or follows `Basic`. */
    const isBasic = (node: AnyCall): boolean =>
      /btoa$/.test(nameOf(node.callee as Node) ?? (node.callee.type === 'Identifier' ? node.callee.name : '')) ||
      nameOf(parentOf(node) ?? node) === 'toString';
    return {
      Property(node) {
        const object = parentOf(node);
        const name = values.nameOf(node);
        if (object?.type !== 'ObjectExpression' || name === undefined) return;
        if (checkHeader(name, node.value, node) || !isSecretName(name)) return;
        if (!hasCompany(object, node, values) && !isLoneKey(name, node.value)) return;
        const isGiven = isGivenToClient(object, values);
        if (!isGiven && hasLabels(object, node, values)) return;
        // A poor password is one word in lower case, next to the address of its server: password: 'secret'
        const isPoor = /^[a-z]+$/.test(textOf(node.value)) && isAddress(object, values);
        if (isWritten(node.value, isGiven || isPoor)) reportName(node, name);
      },
      AssignmentExpression(node) {
        if (node.left.type !== 'MemberExpression') return;
        const name = values.nameOf(node.left);
        if (name === undefined || checkHeader(name, node.right, node)) return;
        // config.password = '…', and not user.password = '' of a form
        const isSetting =
          /^(?:config|options|settings|connection|credentials)/i.test(ownerOf(node.left)) && isSecretName(name);
        const isEnvironment = ownerOf(node.left) === 'env' && isKeyName(name);
        if ((isSetting || isEnvironment) && isWritten(node.right, false)) reportName(node, name);
      },
      VariableDeclarator(node) {
        constants.push(node);
      },
      CallExpression: checkCall,
      NewExpression: checkCall,
      Literal: collect,
      TemplateLiteral: collect,
      BinaryExpression: collect,
      'Program:exit'() {
        for (const node of constants) checkConstant(node);
        for (const node of texts) checkText(node);
      },
    };
  },
});

function ownerOf({ object }: { object: Node }): string {
  return object.type === 'Identifier' ? object.name : (nameOf(object) ?? '');
}

/** Whether something next to a password says what it opens. */
function hasCompany(object: ObjectExpression, own: Node, values: Values): boolean {
  return object.properties.some(
    (property) =>
      property !== own && property.type === 'Property' && BESIDE.test((values.nameOf(property) ?? '').trim()),
  );
}

/** Whether an object says where a server is. */
function isAddress(object: ObjectExpression, values: Values): boolean {
  return object.properties.some(
    (property) =>
      property.type === 'Property' && /^(?:host|hostname|server|port|database)$/.test(values.nameOf(property) ?? ''),
  );
}

/** Whether the properties next to a password are words for people, or names of columns: no host and no user is. */
function hasLabels(object: ObjectExpression, own: Node, values: Values): boolean {
  return object.properties.some((property) => {
    if (property === own || property.type !== 'Property') return false;
    const name = values.nameOf(property);
    const value = values.of(property.value);
    if (name === undefined || !BESIDE.test(name) || value.kind !== 'text') return false;
    const { text } = value;
    if (/port$/i.test(name)) return !/\d/.test(text) && !text.includes(HOLE);
    return isPhrase(text) || isType(text) || text.toLowerCase() === name.toLowerCase();
  });
}

/** Whether an object, or one that contains it, is given to a package: directly, or by the name of its variable. */
function isGivenToClient(object: Node, values: Values): boolean {
  let inner = object;
  for (const up of ancestors(object)) {
    if (up.type === 'CallExpression' || up.type === 'NewExpression')
      return up.callee !== inner && isPackage(up, values);
    if (up.type === 'VariableDeclarator' && up.id.type === 'Identifier') {
      const uses = values.variable(up.id)?.references ?? [];
      return uses.some(({ identifier }) => {
        const call = parentOf(identifier as Node);
        return (
          (call?.type === 'CallExpression' || call?.type === 'NewExpression') &&
          call.callee !== identifier &&
          isPackage(call, values)
        );
      });
    }
    if (up.type !== 'Property' && up.type !== 'ObjectExpression' && !up.type.startsWith('TS')) return false;
    inner = up;
  }
  return false;
}

/** Packages that open something with a password. */
const OPENS =
  /^(?:pg|pg-pool|pg-promise|postgres|mysql|mysql2|mariadb|tedious|mssql|mongodb|mongoose|ioredis|redis|ldapjs|ldapts|nodemailer|knex|sequelize|typeorm|oracledb|ibm_db|cassandra-driver|aws-sdk|@aws-sdk\/|@azure\/|amqplib|mqtt|ssh2|nats)/;

function isPackage(call: AnyCall, values: Values): boolean {
  const module = values.moduleOf(call.callee as Node);
  return module !== undefined && OPENS.test(module.name);
}

/** Whether a text does not look like a word: letters mixed with digits, or upper case mixed with lower case. */
function isRandom(text: string): boolean {
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\d/].filter((pattern) => pattern.test(text)).length;
  return text.length >= 12 && kinds >= 2 && /\d/.test(text) && !/\s/.test(text);
}
