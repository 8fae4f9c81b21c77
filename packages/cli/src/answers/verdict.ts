import { type Io, printText, stdoutColors } from '../io.ts';

/** The explanation is the answer, not an error. So it goes to stdout, whether the pin holds or not. */
export function printAnswer(io: Io, ok: boolean, explanation: string): void {
  const colors = stdoutColors(io);
  const [headline = '', ...rest] = explanation.split('\n');
  printText(io, [ok ? colors.green(headline) : colors.red(headline), ...rest].join('\n'));
}
