import { type Colors, printable } from '../io.ts';
import type { KeyReport } from '../scan/answer.ts';

/** For people: the same value that `--json` prints. */
export function renderKeyReport({ target, publicKey }: KeyReport, colors: Colors): string {
  return [
    colors.bold(printable(target)),
    `  ${`${publicKey.source} (${publicKey.algorithm})`}, and no certificate`,
    `  public-key pin       ${colors.bold(publicKey.pin)}`,
    colors.dim('  for the next certificate: every certificate that is made with this key has this pin'),
  ].join('\n');
}
