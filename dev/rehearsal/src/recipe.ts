import { openAct, type Part, patchConnection, type Stage } from './act.ts';
import { type Played, play } from './play.ts';
import { containersOf } from './rotation.ts';

/**
 * The recipe of the article, under the same load: there is one fingerprint, and when the certificate changes, somebody edits the script.
 * Nobody could be quicker than here: the edit happens at the moment in which the server presents its next certificate.
 *
 * With a self-signed certificate, the article's own scripts let nobody in at all (docs/reference/auth0-prove.md). So the scripts are ours,
 * with one pin.
 */
export async function rehearseRecipe(stage: Stage): Promise<Played> {
  const { scale } = stage;
  const act = await openAct(stage, { containers: containersOf(scale) });
  return play(stage, act, 'edit the script', async (expect) => {
    const share = Math.ceil(scale.logins / 8 / act.parts.length);
    await act.hold(share);
    const swap = async (part: Part): Promise<void> => {
      await part.database.present(part.next);
      await patchConnection(act, part, [part.next]);
      await part.load.refresh();
    };
    await Promise.all(act.parts.map(swap));
    act.course.mark('swapped, edited');
    stage.onProgress('edit the script: swapped, and edited');
    await act.hold(share, scale.livesMs);
    await act.hold(share);
    for (const { database, tally } of act.parts) {
      // A comparison with a peer that never fails would show nothing.
      expect(tally.count.failures > 0, `${database.name}: no login failed`);
    }
    return act.parts.map(() => 'every container was replaced');
  });
}
