import { INVISIBLE } from './invisible.ts';

/** Events, for programs and for people: one line of JSON each. It never gets a secret. */
export type Log = (event: string, fields?: Readonly<Record<string, unknown>>) => void;

/** @param write gets one line, with its end */
export function createLog(write: (line: string) => void, now: () => number = Date.now): Log {
  return (event, fields = {}) => {
    // What a peer wrote is in quotes, and JSON escapes what would end the line. What a terminal takes for a command is escaped too.
    const text = JSON.stringify({ time: new Date(now()).toISOString(), event, ...fields });
    write(`${text.replace(INVISIBLE, escapeUnits)}\n`);
  };
}

function escapeUnits(character: string): string {
  return character.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
