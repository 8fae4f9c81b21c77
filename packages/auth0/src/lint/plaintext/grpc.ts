import type { AnyCall } from '../ast.ts';
import { hostOf, isLocalHost } from '../local.ts';
import type { Value } from '../value.ts';
import type { Values } from '../values.ts';

/** Whether a call gives a client of gRPC credentials without TLS, for a server that is not on this machine. */
export function isInsecureChannel(node: AnyCall, values: Values): boolean {
  const [address, ...others] = node.arguments;
  if (address === undefined || !others.some((argument) => isInsecure(values.of(argument)))) return false;
  // The address must be known, or come from the environment: the result of a function may be the end of a pinned connection.
  return values
    .possible(address)
    .some((value) => value.kind === 'global' || (value.kind === 'text' && !isLocalTarget(value.text)));
}

function isInsecure(value: Value): boolean {
  return (
    value.kind === 'made' &&
    /^(?:@grpc\/grpc-js|grpc)$/.test(value.by.name) &&
    /^(?:credentials|ChannelCredentials)\.createInsecure$/.test(value.by.path.join('.'))
  );
}

/** `localhost:50051`, `dns:///localhost:50051`, `unix:/run/users.sock` */
function isLocalTarget(target: string): boolean {
  if (/^unix(?:-abstract)?:/.test(target)) return true;
  const host = hostOf(`grpc://${target.replace(/^(?:dns|ipv4|ipv6):(?:\/\/[^/]*\/)?/, '')}`);
  return isLocalHost(host ?? '');
}
