/** How much of everything a rehearsal has. */
export interface Scale {
  /** Logins of the rotation, at least, in all. */
  readonly logins: number;
  /** Logins over each connection between two steps of a drill, at least. */
  readonly drillLogins: number;
  /** Warm containers of each connection; those that live longer than the wait are among them. */
  readonly containers: number;
  readonly outliers: number;
  /** Within this time after a write, the containers that it made old are replaced. */
  readonly livesMs: number;
  /** `--settle`, in seconds: longer than the containers live. */
  readonly settleSeconds: number;
  /** The same of drills, which have no container that lives longer. */
  readonly drillLivesMs: number;
  readonly drillSettleSeconds: number;
  /** A container ends after so many logins, and a cold one takes its place. */
  readonly loginsEach: number;
  /** Logins under way at any time, over each connection. */
  readonly workers: number;
  /** So often the databases end every connection, between two logins. */
  readonly refreshMs: number;
}

export const whole: Scale = {
  ...{ logins: 100_000, drillLogins: 300, containers: 12, outliers: 2, livesMs: 60_000, settleSeconds: 75 },
  ...{ drillLivesMs: 8_000, drillSettleSeconds: 10, loginsEach: 300, workers: 16, refreshMs: 5_000 },
};

export const quick: Scale = {
  ...{ logins: 400, drillLogins: 10, containers: 3, outliers: 1, livesMs: 2_500, settleSeconds: 4 },
  ...{ drillLivesMs: 700, drillSettleSeconds: 1, loginsEach: 40, workers: 3, refreshMs: 1_000 },
};
