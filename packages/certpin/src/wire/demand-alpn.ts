import type { Opener } from '../leaf/pinner.ts';

/**
 * Demands that the server has chosen this protocol (RFC 7301). The pin says who the server is; this says that it knows what the
 * connection is for, where nothing was said before TLS.
 *
 * @param refusal the error of a connection for which another protocol, or none, was chosen; nothing was sent on it
 */
export function demandAlpn(open: Opener, protocol: string, refusal: () => Error): Opener {
  return (address, stream) =>
    open(address, {
      adopt: (socket) => {
        if (socket.alpnProtocol === protocol) return stream.adopt(socket);
        socket.destroy();
        stream.destroy(refusal());
      },
      destroy: (error) => stream.destroy(error),
    });
}
