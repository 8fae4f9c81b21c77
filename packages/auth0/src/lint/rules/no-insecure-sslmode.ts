import type { Node } from 'estree';
import { type AnyCall, nameOf } from '../ast.ts';
import { connectionOf } from '../clients.ts';
import { HOLE } from '../markers.ts';
import { defineRule, type Rule } from '../rule.ts';
import { connectionScheme, isPartOfText } from '../text.ts';

/** What to give in place of a setting of the connection string. */
const others = { option: 'ssl: { ca }' };
const mongodb = { how: 'certpin/mongodb', option: 'tls: true, ca' };

export const noInsecureSslmode: Rule = defineRule({
  name: 'no-insecure-sslmode',
  severity: 'error',
  description: 'An sslmode, or another setting of a connection string, that does not verify the certificate',
  messages: {
    plain: {
      happens:
        '{{setting}} allows a connection without TLS: user name, password and every answer can be read and changed on the way.',
      instead: 'Remove the setting, and pin the certificate with {{certpin}}, or give {{option}}.',
    },
    unverified: {
      happens: '{{setting}} encrypts and does not verify: every certificate is accepted, that of an impostor too.',
      instead: 'Remove the setting, and pin the certificate with {{certpin}}, or give {{option}}.',
    },
    required: {
      happens:
        '{{setting}} says that there must be TLS, not whose certificate: the clients of libpq verify nothing, and pg verifies against public authorities and forgets the ssl beside it.',
      instead: 'Remove sslmode, and pin the certificate with {{certpin}}, or give ssl: { ca }.',
    },
    replaced: {
      happens: '{{setting}} in the connection string replaces the ssl beside it, with its ca and its checks.',
      instead: 'Take it out of the connection string.',
    },
  },
  create({ values, report }) {
    const seen = new Set<Node>();
    const checkUrl = (node: Node): void => {
      const value = values.of(node);
      const scheme = value.kind === 'text' ? (connectionScheme(value.text) ?? schemeOfRest(value.text)) : undefined;
      if (value.kind !== 'text' || scheme === undefined || isPartOfText(node)) return;
      const query = (value.text.startsWith(HOLE) ? /[?&]([^#]*)/ : /\?([^#]*)/).exec(value.text)?.[1] ?? '';
      for (const [name, setting, original] of settingsIn(query)) {
        const id = messageFor(scheme, name, setting, /(?:^|&)ssl(?:rootcert|ca)=/i.test(query), query);
        if (id !== undefined && !seen.has(node)) {
          seen.add(node);
          report(node, id, { data: { setting: original, ...(scheme.startsWith('mongodb') ? mongodb : others) } });
        }
      }
    };
    const checkReplacement = (node: AnyCall): void => {
      const connection = connectionOf(node, values);
      if (connection?.driver !== 'pg' || !connection.config?.entries.has('ssl')) return;
      const setting = /[?&]((?:sslmode|ssl)=[\w-]+)/i.exec(connection.url ?? '')?.[1];
      const place = connection.config.entries.get('connectionString')?.value;
      if (setting === undefined || place === undefined || seen.has(place)) return;
      report(place, 'replaced', { data: { setting } });
    };
    const checkSetting = (name: string | undefined, value: Node, place: Node): void => {
      const texts = values.possible(value).flatMap((one) => (one.kind === 'text' ? [one.text] : []));
      for (const text of texts) {
        const id =
          name === 'PGSSLMODE' || /^ssl_?mode$/i.test(name ?? '')
            ? messageForMode(text, false)
            : name === 'ssl' && /^(?:allow|prefer|require|no-verify|disable)$/.test(text)
              ? ssl(text)
              : undefined;
        if (id === undefined) continue;
        report(place, id, { data: { setting: `${name}: '${text}'`, ...others } });
        return;
      }
    };
    return {
      Literal: checkUrl,
      TemplateLiteral: checkUrl,
      BinaryExpression: checkUrl,
      CallExpression: checkReplacement,
      NewExpression: checkReplacement,
      Property(node) {
        checkSetting(nameOf(node), node.value, node);
      },
      AssignmentExpression(node) {
        if (node.left.type === 'MemberExpression') checkSetting(nameOf(node.left), node.right, node);
      },
    };
  },
});

/** A text whose beginning is not known, such as a connection string of the environment. sslmode belongs to PostgreSQL. */
function schemeOfRest(text: string): string | undefined {
  return text.startsWith(HOLE) && /[?&]sslmode=/i.test(text) ? 'postgres' : undefined;
}

type Id = 'plain' | 'unverified' | 'required';

function settingsIn(query: string): [name: string, setting: string, original: string][] {
  return query.split('&').flatMap((pair) => {
    const [name = '', setting = ''] = pair.split('=');
    return name === '' || pair.includes(HOLE)
      ? []
      : [[name.toLowerCase(), decoded(setting).toLowerCase(), `${name}=${decoded(setting)}`]];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function messageFor(scheme: string, name: string, setting: string, hasRoot: boolean, query: string): Id | undefined {
  if (name === 'sslmode') return messageForMode(setting, hasRoot);
  if (name === 'sslaccept' && setting === 'accept_invalid_certs') return 'unverified';
  if (/^(?:tlsinsecure|tlsallowinvalidcertificates|tlsallowinvalidhostnames)$/.test(name) && setting === 'true')
    return 'unverified';
  if (/^(?:ssl|tls)$/.test(name) && /^(?:false|0|no|disable)$/.test(setting)) return 'plain';
  if (/^ssl$/.test(name) && setting === 'no-verify') return 'unverified';
  // The clients of MySQL read a setting as JSON if it is JSON.
  if (/^\{.*"rejectunauthorized"\s*:\s*(?:false|0)\b/.test(setting)) return 'unverified';
  if (/^(?:rejectunauthorized|verifyservercertificate|sslvalidate)$/.test(name) && /^(?:false|0|no)$/.test(setting))
    return 'unverified';
  const isBare = scheme.startsWith('postgres') && name === 'ssl' && /^(?:true|1)$/.test(setting);
  return isBare && !hasRoot && !/(?:^|&)sslmode=/i.test(query) ? 'required' : undefined;
}

/** libpq's words: https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION */
function messageForMode(mode: string, hasRoot: boolean): Id | undefined {
  if (/^(?:disable|allow|prefer)$/i.test(mode)) return 'plain';
  if (/^no-verify$/i.test(mode)) return 'unverified';
  return /^require$/i.test(mode) && !hasRoot ? 'required' : undefined;
}

/** The words that postgres.js takes for `ssl`, and pg's `no-verify`. */
function ssl(text: string): Id {
  return text === 'prefer' || text === 'allow' || text === 'disable' ? 'plain' : 'unverified';
}
