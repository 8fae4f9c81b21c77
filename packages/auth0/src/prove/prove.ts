import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readScript, type Script } from '../run/source.ts';
import { runControl } from './control.ts';
import { knownValues, withoutValues } from './known-values.ts';
import { SERVERS } from './limits.ts';
import type { ProveOptions } from './options.ts';
import { reasonsOfControl, summarizeControl } from './reasons-of-control.ts';
import { reasonsOf, reasonsTogether } from './reasons-of-trials.ts';
import { Relay } from './relay.ts';
import type { ProofReport } from './report.ts';
import { Stages } from './stages.ts';
import { differences, study } from './study.ts';
import { tryImpostors } from './try-impostors.ts';

/**
 * Runs a script with its genuine servers, and then with impostors in their place. Reports what reached the impostors. The script must
 * succeed with its arguments, or nothing is proved.
 *
 * @throws RunError if the script could not be run
 */
export async function prove(script: Script, options: ProveOptions = {}): Promise<ProofReport> {
  const started = performance.now();
  // Read once: at a later trial, the file might contain another script.
  const text = readScript(script, options.cwd);
  // Loaded here, so that a plain run of a script does not wait for it.
  const { mintProofCa } = await import('./proof-ca.ts');
  const ca = await mintProofCa();
  const known = knownValues(options);
  const folder = mkdtempSync(join(tmpdir(), 'certpin-proof-'));
  const relays: Relay[] = [];
  let stages: Stages | undefined;
  try {
    stages = new Stages(text, options, folder, ca.pem);
    relays.push(...(await Promise.all(Array.from({ length: SERVERS }, () => Relay.open()))));
    const control = await runControl(stages, relays);
    const { run, servers, seen, stage: warm } = control;
    const tried = run.status === 'success' ? servers : [];
    const targets = await Promise.all(tried.map((server) => study(server, ca)));
    const differing = differences(targets, seen);
    const { proofs, together } = await tryImpostors({ targets, stages, warm, known });
    await warm.close();
    const reasons = [
      ...reasonsOfControl(control, stages.leavings, known),
      ...proofs.flatMap(reasonsOf),
      ...differing,
      ...reasonsTogether(together),
    ];
    const leaked = [...proofs.flatMap(({ trials }) => trials), ...together].some(({ bytes }) => bytes > 0);
    return withoutValues(
      {
        ...{ script: run.script, kind: run.kind, name: run.name, node: run.node },
        ...{ finding: leaked ? 'leaked' : reasons.length > 0 ? 'unproved' : 'held', reasons },
        ...{ control: summarizeControl(run, servers), servers: proofs, together },
        durationMs: Math.round(performance.now() - started),
      },
      known,
    );
  } finally {
    await stages?.close();
    await Promise.all(relays.map((relay) => relay.close()));
    rmSync(folder, { recursive: true, force: true });
  }
}
