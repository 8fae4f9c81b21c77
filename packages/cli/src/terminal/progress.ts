import { type Io, printable, showsProgress } from '../io.ts';

/** A line on a terminal's stderr, shown while something takes long. */
export interface Progress {
  /** Removes the line so that something else can be printed. The line comes back. */
  readonly clear: () => void;
  readonly end: () => void;
}

/** @param text what the line says now. It is called repeatedly */
export function startProgress(io: Io, text: () => string): Progress {
  if (!showsProgress(io)) return { clear: () => undefined, end: () => undefined };
  let shown = '';
  const clear = (): void => {
    if (shown !== '') io.stderr('\r\u001B[2K');
    shown = '';
  };
  const timer = setInterval(() => {
    const line = printable(text());
    if (line === shown) return;
    clear();
    io.stderr(line);
    shown = line;
  }, 300);
  return {
    clear,
    end: () => {
      clearInterval(timer);
      clear();
    },
  };
}

const WIDTH = 24;

/** `[######------------------] 12345/50000, 17 failed`. Without a bar if the total is not known. */
export function bar({ done, failed }: { done: number; failed: number }, total: number | undefined): string {
  const tail = failed === 0 ? '' : `, ${failed} failed`;
  if (total === undefined) return `${done} done${tail}`;
  const filled = Math.floor((WIDTH * done) / Math.max(total, 1));
  return `[${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}] ${done}/${total}${tail}`;
}
