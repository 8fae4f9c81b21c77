/** Where the examples find their database, and whom they take for it. */
export interface PinnedDatabase {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Pins, as a secret store keeps them: current and next, in one string. */
  readonly pins: string;
}

export interface User {
  readonly id: number;
  readonly email: string;
}

/** What each example makes of its ORM. */
export interface Users {
  readonly find: (email: string) => Promise<User | null | undefined>;
  readonly close: () => Promise<void>;
}
