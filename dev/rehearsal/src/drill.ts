import { certificateHex, type Minted } from '@certpin/testkit';
import { type Act, type ActOptions, openAct, type Part, pinsInFile, type Stage } from './act.ts';
import type { Report } from './leader.ts';
import { type Expect, expectStep, type Played, play } from './play.ts';
import { commandsFor, waitUntilSettled } from './rotation.ts';

type Step = 'prepared' | 'added' | 'delivered' | 'settled' | 'swapped' | 'verified' | 'retired';

/** What a drill is given for one database. */
export interface Drilled extends Part {
  readonly act: Act;
  readonly expect: Expect;
  /** Logins go on, over both connections. */
  readonly hold: (leastMs?: number) => Promise<void>;
  /** Takes the steps up to one, on a server that is operated as certpin says. */
  readonly leadTo: (step: Step) => Promise<void>;
  /** Refused with exit code 1 and these words, and nothing was removed. */
  readonly expectRefusal: (report: Report, wanted: RegExp) => void;
}

export interface Drill {
  readonly name: string;
  /** What stands in the table. */
  readonly title: string;
  /** What is done in it, for the page. */
  readonly about: string;
  /** Logins that may fail. Default none. */
  readonly allowed?: 'some';
  readonly options?: (stage: Stage) => Promise<DrillOptions>;
  /** @returns how it ended, in words */
  readonly run: (drilled: Drilled, stage: Stage) => Promise<string>;
}

export interface DrillOptions extends Partial<ActOptions> {
  /** What was opened for it ends. */
  readonly close?: () => Promise<void>;
}

/** Plays a drill on one database after the other. */
export async function rehearseDrill(stage: Stage, drill: Drill): Promise<Played> {
  const { scale } = stage;
  const { close, ...options } = (await drill.options?.(stage)) ?? {};
  const { containers: count, drillLivesMs: livesMs, loginsEach } = scale;
  const act = await openAct(stage, { containers: { count, livesMs, loginsEach }, ...options });
  const hold = (leastMs?: number): Promise<void> => act.hold(scale.drillLogins, leastMs);
  const played = await play(stage, act, drill.title, async (expect) => {
    await hold();
    const ends: string[] = [];
    for (const part of act.parts) {
      stage.onProgress(`${drill.title}: ${part.database.name}`);
      const drilled: Drilled = {
        ...part,
        ...{ act, expect, hold },
        leadTo: (step) => leadTo(act, part, stage, step),
        expectRefusal: ({ code, reason = '', details = [] }, wanted) => {
          const text = [reason, ...details].join('; ');
          expect(
            code === 1 && wanted.test(text),
            `${part.database.name}: not refused, or in other words: ${text} (exit ${code})`,
          );
        },
      };
      ends.push(await drill.run(drilled, stage));
      await hold();
    }
    for (const { database, tally } of act.parts) {
      const { failures } = tally.count;
      if (drill.allowed !== 'some') expect(failures === 0, `${database.name}: ${failures} logins failed`);
    }
    return ends;
  });
  await close?.();
  return played;
}

async function leadTo(act: Act, part: Part, stage: Stage, step: Step): Promise<void> {
  const { leader, database, next } = part;
  const { scale } = stage;
  let { step: reached, next: coming, ended } = await leader.status();
  if (ended !== null) {
    const files = act.write(database.id, next);
    const started = await leader.start(files, '--settle', `${scale.drillSettleSeconds}s`);
    expectStep(started, 'prepared');
    ({ step: reached, next: coming } = started);
  }
  while (reached !== step) {
    if (coming === 'settled') await waitUntilSettled(act, part, scale.drillSettleSeconds);
    const report = await leader.next();
    expectStep(report, String(coming));
    if (coming === 'swapped') await database.operate(commandsFor(report, database.name), act.folder);
    ({ step: reached, next: coming } = report);
  }
}

/** The pins file and the tenant have these pins, and no other. */
export function expectPins(drilled: Drilled, ...wanted: readonly Minted[]): void {
  const { act, database, expect, pinsInTenant } = drilled;
  const spell = (pins: readonly string[]): string => [...pins].sort().join(' ');
  const hexes = spell(wanted.map(certificateHex));
  const inFile = spell(pinsInFile(act, drilled));
  const inTenant = spell(pinsInTenant().split(/[\s,]+/));
  expect(inFile === hexes, `${database.name}: in the pins file are ${inFile}, not ${hexes}`);
  expect(inTenant === hexes, `${database.name}: in the tenant are ${inTenant}, not ${hexes}`);
}
