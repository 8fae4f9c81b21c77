import { setTimeout } from 'node:timers';
import { CertpinError } from '../errors.ts';

/** The function of this moment. If a test replaces it later, the test's clock neither ends a connection nor holds it for ever. */
const startTimer = setTimeout;

/**
 * Gives up an attempt without a verdict in time. The connection keeps the process alive, but the clock does not.
 *
 * @param timeoutMs 0, or undefined: no limit
 * @param giveUp called once with `ERR_CONNECT_TIMEOUT`, unless the returned function was called before
 */
export function startTimeout(timeoutMs: number | undefined, giveUp: (error: CertpinError) => void): () => void {
  if (!timeoutMs) return () => undefined;
  const isOver = (): void =>
    giveUp(new CertpinError('ERR_CONNECT_TIMEOUT', `no TLS connection within ${timeoutMs} ms`, { timeoutMs }));
  const timer = startTimer(isOver, timeoutMs).unref();
  return () => void timer.close();
}
