import type { ConnectionOptions } from 'node:tls';
import type { Address, Pinner } from '../leaf/pinner.ts';
import { createMysqlMediation } from '../protocols/mysql.ts';
import { dial } from '../wire/dial.ts';
import { PinnedStream } from '../wire/pinned-stream.ts';
import { openUpgraded } from '../wire/upgrade.ts';

/**
 * What a driver of MySQL gets in place of its socket. The driver reads the greeting and answers it, and TLS begins in between. The socket
 * has no delay, like the sockets that the drivers make.
 */
export function openMysqlStream(pinner: Pinner, tls: ConnectionOptions, { host, port }: Address): PinnedStream {
  const mediation = createMysqlMediation((packet) => stream.push(packet));
  const open = openUpgraded(pinner, tls, (address, ready) => dial(address, mediation, ready));
  const stream = new PinnedStream({ open, mediator: mediation });
  return stream.setNoDelay(true).connect(port, host);
}
