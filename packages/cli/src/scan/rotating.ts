import type { Target } from 'certpin/probe';
import { type Io, printWarning } from '../io.ts';

/**
 * Public services that change their certificates, and the keys in them, whenever they like and without notice. docs/reference/targets.md shows the
 * same list.
 */
export const rotatingServices: readonly string[] = [
  'amazonaws.com',
  'appspot.com',
  'auth0.com',
  'azure.com',
  'azurewebsites.net',
  'cloudfront.net',
  'firebaseio.com',
  'github.com',
  'githubusercontent.com',
  'googleapis.com',
  'herokuapp.com',
  'netlify.app',
  'okta.com',
  'pages.dev',
  'run.app',
  'vercel.app',
  'windows.net',
  'workers.dev',
];

/** Warns of each such service once. A self-signed certificate belongs to its operator, whatever the name of the host. */
export function createRotationWarning(
  io: Io,
  servername: string | undefined,
): (target: Target, leaf: { readonly selfSigned: boolean } | undefined) => void {
  const warned = new Set<string>();
  return (target, leaf) => {
    const host = servername ?? ('host' in target ? target.host : '');
    const service = serviceOf(host);
    if (service === undefined || warned.has(service) || leaf === undefined || leaf.selfSigned) return;
    warned.add(service);
    printWarning(
      io,
      `${host}: do not pin this server: *.${service} changes its certificates at will, and each change would lock you out; use the ordinary verification`,
    );
  };
}

function serviceOf(host: string): string | undefined {
  const name = host.toLowerCase().replace(/\.$/, '');
  return rotatingServices.find((service) => name === service || name.endsWith(`.${service}`));
}
