import { type Act, type ActOptions, openAct, type Part, type Stage } from './act.ts';
import type { Report } from './leader.ts';
import { expectStep, type Played, play } from './play.ts';
import type { Scale } from './scale.ts';

/** Containers as in a tenant under load: most are replaced during the wait, some are not. */
export function containersOf({ containers, outliers, livesMs, loginsEach }: Scale): ActOptions['containers'] {
  return { count: containers, livesMs, outliers, outliersMs: 24 * 60 * 60 * 1000, loginsEach };
}

/** How often logins are measured: before, and after each of the seven steps. */
const HOLDS = 8;

/** `certpin rotate`, from its start to its end, on both databases. */
export async function rehearseRotation(stage: Stage): Promise<Played> {
  const { scale } = stage;
  const act = await openAct(stage, { containers: containersOf(scale) });
  return play(stage, act, 'certpin rotate', async (expect) => {
    const share = Math.ceil(scale.logins / HOLDS / act.parts.length);
    const each = async (step: string, take: (part: Part) => Promise<void>): Promise<void> => {
      for (const part of act.parts) await take(part);
      act.course.mark(step);
      stage.onProgress(`certpin rotate: ${step}`);
      await act.hold(share);
    };
    await act.hold(share);
    await each('prepared', async ({ leader, database, next }) => {
      const started = await leader.start(act.write(database.id, next), '--settle', `${scale.settleSeconds}s`);
      expectStep(started, 'prepared');
    });
    await each('added', async ({ leader }) => expectStep(await leader.next(), 'added'));
    await each('delivered', async ({ leader }) => expectStep(await leader.next(), 'delivered'));
    for (const part of act.parts) await waitUntilSettled(act, part, scale.settleSeconds);
    await each('settled', async ({ leader }) => expectStep(await leader.next(), 'settled'));
    await each('swapped', async ({ leader, database }) => {
      const report = await leader.next();
      expectStep(report, 'swapped');
      await database.operate(commandsFor(report, database.name), act.folder);
    });
    await each('verified', async ({ leader }) => expectStep(await leader.next(), 'verified'));
    await each('retired', async ({ leader }) => expectStep(await leader.next(), 'retired'));
    // The containers with both pins must end too.
    await act.hold(0, scale.livesMs);
    for (const { database, tally } of act.parts) {
      const { failures } = tally.count;
      expect(failures === 0, `${database.name}: ${failures} logins failed in containers inside the wait`);
    }
    return act.parts.map(() => 'retired');
  });
}

/** The wait of one rotation, under load. */
export async function waitUntilSettled(act: Act, { leader }: Part, seconds: number): Promise<void> {
  const delivered = (await leader.status()).steps?.find(({ step }) => step === 'delivered');
  if (delivered === undefined) throw new Error('the pins were not delivered');
  await act.hold(1, Date.parse(delivered.at) + seconds * 1000 - Date.now());
}

/** The printed commands for one kind of server. */
export function commandsFor({ commands = [] }: Report, name: string): readonly string[] {
  const found = commands.find(({ server }) => server.startsWith(name));
  if (found === undefined) throw new Error(`no commands for ${name} were printed`);
  return found.commands;
}
