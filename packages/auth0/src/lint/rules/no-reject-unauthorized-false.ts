import type { CallExpression, Node } from 'estree';
import { calledMethod, unwrap } from '../ast.ts';
import { insecureCurl } from '../curl.ts';
import { defineRule, type Rule } from '../rule.ts';
import { ServerOptions } from '../servers.ts';
import { isConnectionString, isPartOfText } from '../text.ts';
import type { Values } from '../values.ts';

/** The options that switch the verification off, and the value with which they do so. */
const SWITCHES: Readonly<Record<string, boolean>> = {
  rejectUnauthorized: false,
  strictSSL: false,
  sslValidate: false,
  tlsInsecure: true,
  tlsAllowInvalidCertificates: true,
  tlsAllowInvalidHostnames: true,
  SSL_VERIFYPEER: false,
  SSL_VERIFYHOST: false,
  'enable.ssl.certificate.verification': false,
  ignoreHTTPSErrors: true,
  acceptInsecureCerts: true,
};

/** The options of a browser that a program controls: puppeteer, playwright, WebDriver. */
const OF_BROWSERS = ['ignoreHTTPSErrors', 'acceptInsecureCerts'];

/** The same as JSON in a string. */
const AS_JSON = /["']rejectUnauthorized["']\s*:\s*(?:false|0)\b/;

export const noRejectUnauthorizedFalse: Rule = defineRule({
  name: 'no-reject-unauthorized-false',
  severity: 'error',
  description: 'The verification of the certificate is switched off',
  messages: {
    off: {
      happens:
        '{{option}}: {{value}} accepts every certificate: whoever stands between you and the server reads and changes everything.',
      instead: "Pin the server's certificate with {{certpin}}, or give the certificate itself as ca.",
    },
    names: {
      happens:
        '{{option}}: true accepts a trusted certificate for any name: whoever has one for a name of their own reads and changes everything.',
      instead: "Pin the server's certificate with {{certpin}}, or connect by the name in the certificate.",
    },
    browser: {
      happens:
        '{{option}}: true lets the browser accept every certificate: what it types and shows can be read and changed on the way.',
      instead:
        "Remove it, and start Chromium with args: ['--ignore-certificate-errors-spki-list=PIN']. PIN is what `certpin get --format curl HOST` prints behind sha256//.",
    },
    curl: {
      happens:
        'With {{option}}, curl accepts every certificate: whoever stands between you and the server reads and changes everything.',
      instead:
        "Add --pinnedpubkey 'sha256//PIN', which `certpin get --format curl HOST` prints. Or write --cacert server.pem in place of {{option}}.",
    },
    method: {
      happens:
        '{{method}}() accepts every certificate: an attacker between you and the server can read and change everything.',
      instead:
        "Remove the call. Pin the server's certificate with {{certpin}}, or give the certificate itself: .ca(…).",
    },
  },
  create({ values, report }) {
    const servers = new ServerOptions(values);
    const found: Node[] = [];
    const collect = (node: Node): void => {
      if (switchedOff(node, values) !== undefined) found.push(node);
    };
    const checkText = (node: Node): void => {
      const value = values.of(node);
      if (value.kind !== 'text' || isPartOfText(node) || isConnectionString(value.text)) return;
      if (AS_JSON.test(value.text)) report(node, 'off', { data: { option: 'rejectUnauthorized', value: 'false' } });
    };
    return {
      Property: collect,
      PropertyDefinition: collect,
      AssignmentExpression: collect,
      Literal: checkText,
      TemplateLiteral: checkText,
      CallExpression(node) {
        servers.see(node);
        const option = insecureCurl(node, values);
        if (option !== undefined) report(node, 'curl', { data: { option } });
        const method = calledMethod(node);
        // superagent, and libraries that are built on it
        if (method?.name === 'disableTLSCerts') report(calleeName(node), 'method', { data: { method: method.name } });
      },
      NewExpression: (node) => servers.see(node),
      'Program:exit'() {
        for (const node of found) {
          const off = switchedOff(node, values);
          if (off === undefined || servers.has(node)) continue;
          const isOfBrowser = OF_BROWSERS.includes(off.option);
          report(node, isOfBrowser ? 'browser' : off.option === 'tlsAllowInvalidHostnames' ? 'names' : 'off', {
            data: off,
          });
        }
      },
    };
  },
});

/** The name of the method: in a long chain, this is the line that matters. */
function calleeName(call: CallExpression): Node {
  const callee = unwrap(call.callee);
  return callee.type === 'MemberExpression' ? callee.property : callee;
}

/** The option that a property or an assignment switches the verification off with. */
export function switchedOff(node: Node, values: Values): { option: string; value: string } | undefined {
  const [name, value] =
    node.type === 'Property' || node.type === 'PropertyDefinition'
      ? [values.nameOf(node), node.value]
      : node.type === 'AssignmentExpression' && /^(?:&&|\?\?|\|\|)?=$/.test(node.operator)
        ? [values.nameOf(node.left), node.right]
        : [];
  const off = name !== undefined && Object.hasOwn(SWITCHES, name) ? SWITCHES[name] : undefined;
  if (name === undefined || off === undefined || !value) return undefined;
  const isOff =
    values.mayBe(value, off) ||
    (!off && values.possible(value).some((one) => one.kind === 'constant' && one.value === 0));
  return isOff ? { option: name, value: String(off) } : undefined;
}
