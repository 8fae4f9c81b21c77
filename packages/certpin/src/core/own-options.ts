/**
 * The options that the caller gave. A copy without a prototype: what somebody has put on `Object.prototype` is nobody's wish, and a
 * `pins` or `servername` there must not count for any client.
 */
export function ownOptions<Options extends object>(options: Options): Options {
  return Object.assign(Object.create(null), options) as Options;
}
