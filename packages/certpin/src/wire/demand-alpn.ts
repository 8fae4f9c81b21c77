import type { Opener } from '../leaf/pinner.ts';

/**
 * Demands that the server has chosen this protocol (RFC 7301). The pin says who the server is. If nothing was said before TLS, this says
 * that the server knows the purpose of the connection.
 *
 * @param refusal the error if another protocol, or none, was chosen. Nothing was sent on the connection
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
