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

/** How a connection is made, besides its address and its TLS options. */
export interface MssqlWay {
  /** TDS 8: TLS from the first byte. */
  readonly isStrict: boolean;
  /** The size of a TDS packet in bytes. A TLS record must not be larger: Azure ends a connection with a login in larger records. */
  readonly packetSize: number;
  readonly localAddress: string | undefined;
}

/** With it, no ticket can come. A ticket would lead to a resumed session, and its handshake would end outside of TDS packets. */
const SSL_OP_NO_TICKET = 0x4000;

/** The driver keeps its own sockets alive in this way. Through TLS in TDS packets, its setting does not reach the socket. */
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

/** The stream on which TLS begins. */
interface Ground {
  readonly stream: Duplex;
  /** The verdict is a match, and the driver does not know it yet. What is written next comes from the driver. */
  readonly onVerified: (socket: TLSSocket) => void;
}

/** @param groundOf is called in the tick in which the plaintext conversation ends */
function onGround(pinner: Pinner, groundOf: (raw: Socket) => Ground): Pinner {
  const open: Pinner['open'] = (options, ...more) => {
    const { stream, onVerified } = groundOf(options.socket as Socket);
    const socket = pinner.open({ ...options, socket: stream }, ...more);
    return socket.once('secureConnect', () => onVerified(socket));
  };
  return { ...pinner, open };
}

type Limit = (socket: { setMaxSendFragment(bytes: number): boolean }) => unknown;

/**
 * TLS in TDS packets ends with the handshake, and the server must send the last message. That is so in TLS 1.2 without a resumed session.
 */
function inPackets(tls: ConnectionOptions): ConnectionOptions {
  return { ...tls, maxVersion: 'TLSv1.2', secureOptions: (tls.secureOptions ?? 0) | SSL_OP_NO_TICKET };
}

function alive(raw: Socket): Socket {
  return raw.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
}
