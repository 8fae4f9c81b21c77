import { INVISIBLE } from './invisible.ts';

/** What has happened, for a machine and for people: one line of JSON each. Nothing secret is given to it. */
export type Log = (event: string, fields?: Readonly<Record<string, unknown>>) => void;

/** @param write one line, with its end */
export function createLog(write: (line: string) => void, now: () => number = Date.now): Log {
  return (event, fields = {}) => {
    // What a peer wrote stands between quotes, and JSON escapes what would end the line. What a terminal takes for a command is escaped too.
    const text = JSON.stringify({ time: new Date(now()).toISOString(), event, ...fields });
    write(`${text.replace(INVISIBLE, escapeUnits)}\n`);
  };
}

function escapeUnits(character: string): string {
  return character.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
