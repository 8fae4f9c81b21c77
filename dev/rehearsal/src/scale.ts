/** How much of everything a rehearsal has. */
export interface Scale {
  /** Logins of the rotation, at least, in all. */
  readonly logins: number;
  /** Logins over each connection between two steps of a drill, at least. */
  readonly drillLogins: number;
  /** Warm containers of each connection; those that live longer than the wait are among them. */
  readonly containers: number;
  readonly outliers: number;
  /** After a write, the containers with the old configuration are replaced within this time. */
  readonly livesMs: number;
  /** `--settle`, in seconds. It is longer than the containers live. */
  readonly settleSeconds: number;
  /** The same for drills, which have no container that lives longer. */
  readonly drillLivesMs: number;
  readonly drillSettleSeconds: number;
  /** After this many logins, a cold container takes the place of a warm one. */
  readonly loginsEach: number;
  /** Logins under way at any time, over each connection. */
  readonly workers: number;
  /** How often the databases end every connection, between two logins. */
  readonly refreshMs: number;
}

export const whole: Scale = {
  ...{ logins: 100_000, drillLogins: 300, containers: 12, outliers: 2, livesMs: 60_000, settleSeconds: 75 },
  ...{ drillLivesMs: 8_000, drillSettleSeconds: 10, loginsEach: 300, workers: 16, refreshMs: 5_000 },
};

export const quick: Scale = {
  ...{ logins: 400, drillLogins: 10, containers: 3, outliers: 1, livesMs: 6_000, settleSeconds: 8 },
  ...{ drillLivesMs: 700, drillSettleSeconds: 1, loginsEach: 40, workers: 3, refreshMs: 1_000 },
};
