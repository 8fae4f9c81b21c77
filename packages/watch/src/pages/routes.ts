import { calendarPage } from './calendar.ts';
import { changesPage } from './changes.ts';
import type { MakePage } from './context.ts';
import { frontPage } from './front.ts';
import { targetPage } from './target.ts';
import { targetsPage } from './targets.ts';

/** The address of each page, and of the same as JSON. */
const pages: readonly (readonly [path: string, json: string, make: MakePage])[] = [
  ['/', '/index.json', frontPage],
  ['/targets', '/targets.json', targetsPage],
  ['/target', '/target.json', targetPage],
  ['/calendar', '/calendar.json', calendarPage],
  ['/changes', '/changes.json', changesPage],
];

export interface Route {
  readonly make: MakePage;
  readonly path: string;
  readonly json: string;
  readonly asJson: boolean;
}

/** A path is looked for only here: there is no folder that an attacker could leave. */
export const routes: ReadonlyMap<string, Route> = new Map(
  pages.flatMap(([path, json, make]): [string, Route][] => [
    [path, { make, path, json, asJson: false }],
    [json, { make, path, json, asJson: true }],
  ]),
);
