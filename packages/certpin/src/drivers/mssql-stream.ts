import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import type { Address, Pinner } from '../leaf/pinner.ts';
import { createMssqlMediation, createStrictMediation } from '../protocols/mssql-mediation.ts';
import { dial } from '../wire/dial.ts';
import { enclose } from '../wire/envelope.ts';
import type { Sides } from '../wire/late-stream.ts';
import { PinnedStream } from '../wire/pinned-stream.ts';
import { openUpgraded } from '../wire/upgrade.ts';

/** How a connection is made, beside its address and its TLS options. */
export interface MssqlWay {
  /** TDS 8: TLS from the first byte. */
  readonly isStrict: boolean;
  /** Bytes of a TDS packet, which a record of TLS must not exceed: Azure ends a login that stands in larger ones. */
  readonly packetSize: number;
  readonly localAddress: string | undefined;
}

/** Without it a server could give a ticket, and a session that is resumed ends outside of TDS's packets. */
const SSL_OP_NO_TICKET = 0x4000;

/** As the driver keeps the sockets alive that it makes itself; through TLS in packets of TDS it does not reach the socket. */
const KEEP_ALIVE_MS = 30_000;

/** What a driver of SQL Server gets in place of its socket. */
export function openMssqlStream(
  pinner: Pinner,
  tls: ConnectionOptions,
  { host, port }: Address,
  { isStrict, packetSize, localAddress }: MssqlWay,
): PinnedStream {
  const call = (address: Address) => (localAddress === undefined ? address : { ...address, localAddress });
  const limitRecords: Limit = (socket) => socket.setMaxSendFragment(Math.min(Math.max(packetSize, 512), 16_384));

  const direct = (): Sides => ({
    open: openUpgraded(
      onGround(pinner, (raw) => ({ stream: raw, onVerified: limitRecords })),
      { ...tls, ALPNProtocols: ['tds/8.0'] },
      (address, ready) => dial(call(address), undefined, ready),
    ),
    mediator: createStrictMediation(),
  });
  const upgraded = (): Sides => {
    const mediation = createMssqlMediation((answer) => stream.push(answer));
    const enclosedGround = (raw: Socket): Ground => {
      const enclosed = enclose(raw, mediation.envelope);
      const onVerified: Limit = (socket) => {
        enclosed.leave();
        limitRecords(socket);
        mediation.release();
      };
      return { stream: enclosed, onVerified };
    };
    return {
      open: openUpgraded(onGround(pinner, enclosedGround), inPackets(tls), (address, ready) =>
        alive(dial(call(address), mediation, ready)),
      ),
      mediator: mediation,
    };
  };
  const stream = new PinnedStream(isStrict ? direct() : upgraded());
  return stream.setNoDelay(true).connect(port, host);
}

/** What TLS begins on. */
interface Ground {
  readonly stream: Duplex;
  /** The verdict is a match, and the driver has not heard of it: what is written next is the driver's. */
  readonly onVerified: (socket: TLSSocket) => void;
}

/** @param groundOf is called in the tick in which the plaintext conversation has ended */
function onGround(pinner: Pinner, groundOf: (raw: Socket) => Ground): Pinner {
  const open: Pinner['open'] = (options, ...more) => {
    const { stream, onVerified } = groundOf(options.socket as Socket);
    const socket = pinner.open({ ...options, socket: stream }, ...more);
    return socket.once('secureConnect', () => onVerified(socket));
  };
  return { ...pinner, open };
}

type Limit = (socket: { setMaxSendFragment(bytes: number): boolean }) => unknown;

/** TLS in packets of TDS ends with the handshake, whose last message the server says: TLS 1.2, and no session that is resumed. */
function inPackets(tls: ConnectionOptions): ConnectionOptions {
  return { ...tls, maxVersion: 'TLSv1.2', secureOptions: (tls.secureOptions ?? 0) | SSL_OP_NO_TICKET };
}

function alive(raw: Socket): Socket {
  return raw.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
}
