import { HOLE } from './markers.ts';

// What is a secret, and what only looks like one: names of fields, words for people, places to fill in.

/** `DB_PASSWORD`, `dbPassword` and `db-password` are one name. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[-_.\s]/g, '');
}

const OWNER =
  '(?:db|database|pg|postgres|postgresql|mysql|sql|mongo|mongodb|redis|smtp|mail|email|ldap|bind|admin|root|service|basic|proxy|api|app|auth0)?';
const PASSWORD = new RegExp(`^${OWNER}(?:password|passwd|pwd|pass|passphrase)$`);
/** Names that are used only for secrets. */
const KEY =
  /^(?:x|aws|azure|google|stripe|twilio|sendgrid|mailgun)?(?:apikey|apisecret|authtoken)$|^(?:aws|azure|s3)?(?:secret|access|private|account|shared|signing|encryption|master|subscription|secretaccess)key$|^(?:(?:oauth2?|auth0|my|mgmt|management|azure|google|facebook|github|aws)?(?:client|app|consumer)|shared|webhook|signing|jwt|session|token|cookie)?secret$|^(?:access|auth|refresh|bearer|api)token$/;

/** Whether the name is one for a password or a key. */
export function isSecretName(name: string): boolean {
  return PASSWORD.test(plain(name)) || isKeyName(name);
}

/** Whether the name is one for a key, and never for a field of a form or a column of a table. */
export function isKeyName(name: string): boolean {
  return KEY.test(plain(name));
}

/** Not a password: a place to fill in. */
const BLANK: readonly RegExp[] = [
  /^(?:<.*>|\[.*\]|\{.*\}|%.*%|\$\{?\w+\}?|\$\(.*\))$/s,
  /^[*xX.•●…_\-#?]{3,}$/u,
  /^your[-_ ]/i,
  /^(?:my|the|a|an|some|insert|enter|put|add|type|replace|fill|set|paste|provide|use|see)[-_ ]\D*$/i,
  /^(?:your|my)(?:db|database|api|client|user|account|admin|root|app|auth0)?(?:password|passwd|pwd|pass|secret|token|key)$/i,
  /[-_ ](?:here|goes[-_ ]here|placeholder)$/i,
  /^change[-_ ]?(?:me|this|it)\W*$/i,
  /^(?:replace_?me|redacted|removed|hidden|omitted|placeholder|todo|tbd|fixme|n\/a|none|null|undefined|example|dummy|sample|foobar|foo|bar)$/i,
  /example(?:key)?$/i,
  /^(?:fake|mock|dummy)+[-_a-z]*$/i,
  /^[A-Z]+(?:_[A-Z]+)+$/,
  /^place /i,
];

export function isBlank(text: string): boolean {
  const value = text.trim();
  return value === '' || BLANK.some((pattern) => pattern.test(value));
}

const WORD =
  'pass(?:word|wort|phrase|code)?|passwords|passwd|pwd|secret|token|api[-_ ]?key|kennwort|contrase[nñ]a|senha|wachtwoord|l[oö]senord|adgangskode|passord|salasana|has[lł]o|heslo|parola|mot de passe|пароль|密码|密碼|パスワード|비밀번호|pin';
/** The name of a secret, with other words around it: `user_password`, `passwordHash`, `#password`, `/forgot-password`. */
const NAMES_A_SECRET = new RegExp(`(?:^|[^\\p{L}\\d])(?:${WORD})(?:$|[^\\p{L}\\d])`, 'iu');
const TYPE =
  /^(?:string|text|varchar(?:\(\d+\))?|char|hidden|password|email|input|number|boolean|true|false|required|optional|yes|no|on|off|y|n)$/i;
const FILE = /^(?:\.{1,2}\/|~\/)|^\/[a-z][a-z/_.-]*$|\.(?:pem|key|crt|cer|pfx|p12|txt|json|env|js|ts|html?|svg|png)$/i;

/** Whether a text names a secret but is not one: a label, a message, a column, a selector, the type of a field, a file. */
export function isLabel(text: string): boolean {
  const value = text.trim();
  // A name that is written as one word: userPassword, passwordHash
  const parts = value.replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2');
  const isName = !/\d/.test(value) && NAMES_A_SECRET.test(parts);
  return (
    isName ||
    isType(value) ||
    FILE.test(value) ||
    value.includes('|') ||
    (/[^\x20-\x7e]/.test(value) && !/\d/.test(value))
  );
}

/** Whether a text is the type of a field. */
export function isType(text: string): boolean {
  return TYPE.test(text.trim());
}

/** Words for a person, and not a secret: outside of a connection, passwords contain no blanks. */
export function isPhrase(text: string): boolean {
  return /\S\s+\S/.test(text.trim());
}

const NAME = '[\\w.-]*(?:password|passwd|pwd|passphrase|secret|api[_-]?key|access[_-]?key|token)[\\w-]*|pass';
/** `"client_secret": "…"` in JSON, also with escaped quotes; `'` for text that is nearly JSON. */
const IN_JSON = new RegExp(`\\\\*["'](${NAME})\\\\*["']\\s*:\\s*\\\\*["']([^"'\\\\]+)\\\\*["']`, 'gi');
/** `client_secret=…` in a form or in the query of a URL. */
const IN_FORM = new RegExp(`(?:^|[?&])(${NAME})=([^&#\\s"'<>]+)`, 'gi');
/** `<Password>…</Password>` */
const IN_XML = /<(?:\w+:)?(password|passwd|pwd|secret|api-?key)(?:\s[^>]*)?>([^<>]+)<\//gi;
/** Other words in the same text that show that it opens something. */
const BESIDE_IN_TEXT =
  /["'<:?&](?:user(?:name)?|user_?id|login|email|client_?id|grant_type|host|hostname|server|database|account)\\*["'=>]|^(?:user(?:name)?|login|email|client_id|grant_type)=/i;

/** A header in a longer text. */
const IN_HEADER = /\b(authorization)["']?\s*:\s*["']?(?:Bearer|Basic|Token)\s+([^\s"']+)/gi;

/** The name of a secret whose value is part of a longer text: JSON, a form, a URL, XML. */
export function secretWithin(text: string): string | undefined {
  for (const pattern of [IN_JSON, IN_FORM, IN_XML, IN_HEADER]) {
    for (const [, name = '', value = ''] of text.matchAll(pattern)) {
      const isSure = isKeyName(name) || pattern === IN_HEADER || (isSecretName(name) && BESIDE_IN_TEXT.test(text));
      if (isSure && isValue(decode(value))) return name;
    }
  }
  return undefined;
}

function isValue(value: string): boolean {
  return !value.includes(HOLE) && !isBlank(value) && !isLabel(value) && !isPhrase(value) && value.length > 3;
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** Keys that can be recognised by their own text. */
const SPEAKING: readonly (readonly [RegExp, string])[] = [
  [/\b(?:AKIA|ASIA)[A-Z\d]{16}\b/, 'a key of AWS'],
  [/\b(?:ghp|gho|ghs|ghu|ghr)_[A-Za-z\d]{36}|\bgithub_pat_\w{60,}/, 'a token of GitHub'],
  [/\bxox[abprs]-\d+-[\w-]{10,}/, 'a token of Slack'],
  [/\b[sr]k_live_[A-Za-z\d]{20,}/, 'a key of Stripe'],
  [/\bAIza[\w-]{35}(?![\w-])/, 'a key of Google'],
  [/\bSG\.[\w-]{16,}\.[\w-]{16,}/, 'a key of SendGrid'],
  [/\bglpat-[\w-]{20,}/, 'a token of GitLab'],
];

/** What a key is, if its own text tells. Keys from documentation do not count. */
export function speakingKey(text: string): string | undefined {
  for (const [pattern, what] of SPEAKING) {
    const key = pattern.exec(text)?.[0];
    if (key !== undefined && !/EXAMPLE/i.test(key)) return what;
  }
  return undefined;
}
