/** The steps of a rotation, in their order. */
export const rotationSteps = ['prepared', 'added', 'delivered', 'settled', 'swapped', 'verified', 'retired'] as const;

export type RotationStep = (typeof rotationSteps)[number];

/**
 * How it is known that a step is done.
 *
 * - `shown`: certpin has seen it. A file was read, a place was read back, or every address has shown the certificate in a handshake.
 * - `waited`: a time has passed. Nobody can see more than that.
 * - `told`: somebody else says so, or must do it. Examples are a place that cannot be read back, and a person at the server.
 */
export const evidences = ['shown', 'waited', 'told'] as const;

export type Evidence = (typeof evidences)[number];

/** What the pins file says of a target, with each pin as `formatPin` spells it. */
export interface FilePins {
  readonly pins: readonly string[];
  readonly issuerPins: readonly string[];
  readonly revoked: readonly string[];
}

/** What identifies the next certificate. */
export interface NextCertificate {
  readonly pin: string;
  /** What was read: `certificate`, `certificate signing request`, `public key`, `private key`. */
  readonly source: string;
  /** The file, as it was named. */
  readonly file: string;
  /** The file of its private key, if it was named. The commands for the server name it too. */
  readonly key?: string | undefined;
  /** The validity, if it is a certificate. ISO 8601. */
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

/** What is being done. It is recorded before the first effect, so that a killed rotation knows what it was doing. */
export interface Begun {
  readonly step: RotationStep | 'abort';
  readonly at: string;
  /** What the pins file says of the target afterwards. */
  readonly file: FilePins;
}

/** How far the rotation of one target is. */
export interface Rotation {
  /** As it stands in the pins file. */
  readonly target: string;
  /** The same server has the same key, whatever its spelling. */
  readonly key: string;
  readonly id?: string | undefined;
  /** How the servers come to TLS, as the probe found out. */
  readonly protocol: string;
  readonly startedAt: string;
  readonly settleSeconds: number;
  readonly next: NextCertificate;
  /** Whether the pins file had the next pin before. */
  readonly wasPinned: boolean;
  /** The pins that leave: at the end or, if a key has leaked, at the beginning. */
  readonly old: readonly string[];
  /** The first end of a certificate that was presented at the start. ISO 8601. */
  readonly oldEnds?: string | undefined;
  /** The key of the old certificate has leaked: its pin is removed first, and for ever. */
  readonly leaked: boolean;
  /** What the pins file said of the target after the last step. */
  readonly file: FilePins;
  readonly done: readonly StepDone[];
  readonly begun?: Begun | undefined;
  readonly ended?: { readonly how: 'retired' | 'aborted'; readonly at: string } | undefined;
}

/** The steps of this rotation. After a leak, there is no wait: from the delivery on, no login goes to a server with the old certificate. */
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

/** The rotation of a target. If there are several, the last one. It is also found by the `id`, which stays if the address changes. */
export function findRotation(
  rotations: readonly Rotation[],
  { key, id }: { readonly key: string; readonly id: string | undefined },
): Rotation | undefined {
  return rotations.find((one) => one.key === key) ?? rotations.find((one) => id !== undefined && one.id === id);
}
