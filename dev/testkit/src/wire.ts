import { Duplex } from 'node:stream';

/** A connection that is not a `net.Socket`: bytes pass through JavaScript, as with a tunnel or a driver's own stream. */
export function asPlainDuplex(inner: Duplex): Duplex {
  const outer = new Duplex({
    read: () => inner.resume(),
    write: (chunk, encoding, callback) => {
      inner.write(chunk, encoding, callback);
    },
    final: (callback) => {
      inner.end(callback);
    },
    destroy: (error, callback) => {
      inner.destroy();
      callback(error);
    },
  });
  inner.on('data', (chunk) => {
    if (!outer.push(chunk)) inner.pause();
  });
  inner.on('end', () => outer.push(null)).on('error', (error) => outer.destroy(error));
  inner.on('close', () => outer.destroy());
  return outer;
}
