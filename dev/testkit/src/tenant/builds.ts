export type BuildState = 'pending' | 'building' | 'packaged' | 'built' | 'failed';

/** A build of an Action's draft, or of a version of it. It takes time, and succeeds or fails. */
export interface Build {
  readonly startedAt: number;
  readonly durationMs: number;
  readonly fails: boolean;
}

export function stateOf({ startedAt, durationMs, fails }: Build): BuildState {
  const age = Date.now() - startedAt;
  if (age >= durationMs) return fails ? 'failed' : 'built';
  return (['pending', 'building', 'packaged'] as const)[Math.floor((3 * age) / durationMs)] ?? 'packaged';
}

/** When it was built; undefined where it was not. */
export function builtAt(build: Build): string | undefined {
  return stateOf(build) === 'built' ? new Date(build.startedAt + build.durationMs).toISOString() : undefined;
}
