import { watch } from 'node:fs';
import type { ExitCode, Io } from '../io.ts';

/** Editors write a file in several steps. */
const QUIET_MS = 100;

/** Does `work` now, and again whenever a file in one of the folders changes. Ctrl-C ends it with the last answer. */
export async function changes(io: Io, folders: readonly string[], work: () => Promise<ExitCode>): Promise<ExitCode> {
  let wake: () => void = () => undefined;
  let isOver = false;
  let hasChanged = false;
  const watchers = [...new Set(folders)].map((folder) =>
    watch(folder, (_event, name) => {
      if (name !== null && !/\.(?:js|json|pem|crt)$/.test(name)) return;
      hasChanged = true;
      wake();
    }),
  );
  const forget = io.onInterrupt(() => {
    isOver = true;
    wake();
  });
  let code: ExitCode = 0;
  try {
    while (!isOver) {
      hasChanged = false;
      code = await work();
      while (!hasChanged && !isOver) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (!isOver) await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    }
  } finally {
    for (const watcher of watchers) watcher.close();
    forget();
  }
  return code;
}
