/** The steps of a rotation, in their order. */
export const rotationSteps = ['prepared', 'added', 'delivered', 'settled', 'swapped', 'verified', 'retired'] as const;

export type RotationStep = (typeof rotationSteps)[number];

/**
 * How it is known that a step is done.
 *
 * - `shown`: certpin has seen it: a file was read, a place was read back, every address has shown the certificate in a handshake.
 * - `waited`: a time has passed, and nobody can see more.
 * - `told`: somebody else says so, or has to do it: a place that cannot be read back, a person at the server.
 */
export const evidences = ['shown', 'waited', 'told'] as const;

export type Evidence = (typeof evidences)[number];

/** What a target says in the pins file: each pin as `formatPin` spells it. */
export interface FilePins {
  readonly pins: readonly string[];
  readonly issuerPins: readonly string[];
  readonly revoked: readonly string[];
}

/** What the next certificate is known by. */
export interface NextCertificate {
  readonly pin: string;
  /** What was read: `certificate`, `certificate signing request`, `public key`, `private key`. */
  readonly source: string;
  /** The file, as it was named. */
  readonly file: string;
  /** The file of its private key, where it was named: the commands for the server name it too. */
  readonly key?: string | undefined;
  /** Of a certificate. ISO 8601. */
  readonly validFrom?: string | undefined;
  readonly validTo?: string | undefined;
}

export interface StepDone {
  readonly step: RotationStep;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly evidence: Evidence;
  /** What was seen, for people. */
  readonly because: string;
}

/** What is being done: written before the first effect, so that a killed rotation knows what it was about. */
export interface Begun {
  readonly step: RotationStep | 'abort';
  readonly at: string;
  /** What the target says in the pins file afterwards. */
  readonly file: FilePins;
}

/** How far the rotation of one target is. */
export interface Rotation {
  /** As it stands in the pins file. */
  readonly target: string;
  /** The same server has the same key, however it is written. */
  readonly key: string;
  readonly id?: string | undefined;
  /** How the servers come to TLS, as the probe has found out. */
  readonly protocol: string;
  readonly startedAt: string;
  readonly settleSeconds: number;
  readonly next: NextCertificate;
  /** Whether the next pin stood in the pins file before. */
  readonly wasPinned: boolean;
  /** The pins that leave at the end; of a leaked key, at the beginning. */
  readonly old: readonly string[];
  /** The first end of a certificate that was presented at the start. ISO 8601. */
  readonly oldEnds?: string | undefined;
  /** The key of the old certificate has leaked: its pin goes first, and for ever. */
  readonly leaked: boolean;
  /** What the target said in the pins file after the last step. */
  readonly file: FilePins;
  readonly done: readonly StepDone[];
  readonly begun?: Begun | undefined;
  readonly ended?: { readonly how: 'retired' | 'aborted'; readonly at: string } | undefined;
}

/** The steps of this rotation. A leaked key is not waited for: from the delivery on, no login goes to who presents the old certificate. */
export function stepsOf({ leaked }: Pick<Rotation, 'leaked'>): readonly RotationStep[] {
  return leaked ? rotationSteps.filter((step) => step !== 'settled') : rotationSteps;
}

/** undefined: there is none left. */
export function nextStepOf({ leaked, done }: Pick<Rotation, 'leaked' | 'done'>): RotationStep | undefined {
  return stepsOf({ leaked })[done.length];
}

export function isUnderWay({ ended }: Pick<Rotation, 'ended'>): boolean {
  return ended === undefined;
}

/** The rotation of a target, the last one where it has ended. It is found by the `id` too, which outlives a change of the address. */
export function findRotation(
  rotations: readonly Rotation[],
  { key, id }: { readonly key: string; readonly id: string | undefined },
): Rotation | undefined {
  return rotations.find((one) => one.key === key) ?? rotations.find((one) => id !== undefined && one.id === id);
}
