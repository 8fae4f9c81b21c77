import type { Node } from 'estree';
import { nameOf, parentOf } from '../ast.ts';
import { isOfCertpin } from '../clients.ts';
import { defineRule, type Rule } from '../rule.ts';
import { isEmptyCheck, unverifiedBy } from './no-empty-check-server-identity.ts';
import { watchIgnored } from './no-ignored-check-server-identity.ts';

/** Options with which a chain passes verification although no public authority has signed it. */
const ANCHORS = ['ca', 'secureContext', 'pfx', 'tlsCAFile', 'sslCA'];

export const noDeadCheckServerIdentity: Rule = defineRule({
  name: 'no-dead-check-server-identity',
  severity: 'error',
  description: 'checkServerIdentity is never called, because the chain is not verified, or fails first',
  messages: {
    off: {
      happens:
        'With {{option}}: {{value}}, checkServerIdentity is not called for a certificate that is not trusted, and its error is ignored: every certificate is accepted.',
      instead: "Pin the certificate with {{certpin}}, or verify with the server's certificate as ca.",
    },
    chainFirst: {
      happens:
        'checkServerIdentity is called only after the chain was verified. There is no ca, so a self-signed certificate is refused before (DEPTH_ZERO_SELF_SIGNED_CERT), the right one too.',
      instead: "Pin the certificate with {{certpin}}, or give the server's certificate as ca beside it.",
    },
  },
  create({ values, report }) {
    const { ignored, listeners } = watchIgnored(values);
    const found: Node[] = [];
    return {
      ...listeners,
      Property(node) {
        if (nameOf(node) === 'checkServerIdentity' && parentOf(node)?.type === 'ObjectExpression') found.push(node);
      },
      'Program:exit'() {
        for (const node of found) {
          const object = parentOf(node);
          const value = values.of(object);
          if (ignored.has(node) || object === undefined || value.kind !== 'object') continue;
          const off = unverifiedBy(value, values);
          if (off !== undefined) report(node, 'off', { data: off });
          // With a ca it would be called, but compare nothing. Another rule finds that.
          else if (node.type === 'Property' && isEmptyCheck(node.value, values)) continue;
          else if (!value.open && !ANCHORS.some((name) => value.entries.has(name)) && !getsRootsElsewhere(object))
            report(node, 'chainFirst');
        }
      },
    };

    /** gRPC's createSsl takes the certificate as its first argument. certpin's own functions verify by themselves. */
    function getsRootsElsewhere(object: Node): boolean {
      const call = parentOf(object);
      if (call?.type !== 'CallExpression' && call?.type !== 'NewExpression') return false;
      const callee = call.callee as Node;
      return nameOf(callee) === 'createSsl' || isOfCertpin(values.of(callee));
    }
  },
});
