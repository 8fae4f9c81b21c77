import { setTimeout as delay } from 'node:timers/promises';
import type { FakeTenant } from '@certpin/testkit/tenant';
import { type Database, EMAIL, PASSWORD } from './database.ts';

/** After a failure, a user waits a moment. */
const AFTER_FAILURE_MS = 20;
/** The time until a process knows that its connections were ended. */
const HEARING_MS = 300;

/** Logins without end over one connection of a tenant. */
export class Load {
  readonly #tenant: FakeTenant;
  readonly #database: Database;
  readonly #underWay = new Set<Promise<void>>();
  #workers: Promise<unknown> = Promise.resolve();
  #paused: Promise<void> | undefined;
  #resume = (): void => undefined;
  #stopped = false;
  #failures = 0;
  /** Logins that were answered. */
  done = 0;

  constructor(tenant: FakeTenant, database: Database) {
    this.#tenant = tenant;
    this.#database = database;
  }

  /** Those of them that were not let in. */
  get failures(): number {
    return this.#failures;
  }

  start(workers: number): void {
    this.#workers = Promise.all(Array.from({ length: workers }, () => this.#work()));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#workers;
  }

  /**
   * The database ends every connection while no login is in progress. Otherwise, pools would keep connections that were made under an old
   * certificate, and hide that new ones are refused.
   */
  async refresh(): Promise<void> {
    this.#paused = new Promise((resolve) => {
      this.#resume = resolve;
    });
    await Promise.all(this.#underWay);
    await this.#database.endConnections();
    await delay(HEARING_MS);
    this.#paused = undefined;
    this.#resume();
  }

  async #work(): Promise<void> {
    while (!this.#stopped) {
      await this.#paused;
      const before = this.#failures;
      const login = this.#logIn();
      this.#underWay.add(login);
      await login;
      this.#underWay.delete(login);
      if (this.#failures > before) await delay(AFTER_FAILURE_MS);
    }
  }

  async #logIn(): Promise<void> {
    const { AUTH0_DOMAIN, AUTH0_CLIENT_ID: client_id, AUTH0_CLIENT_SECRET: client_secret } = this.#tenant.credentials;
    const body = new URLSearchParams({
      ...{ grant_type: 'http://auth0.com/oauth/grant-type/password-realm', realm: this.#database.id },
      ...{ client_id, client_secret, username: EMAIL, password: PASSWORD },
    });
    const answer = await this.#tenant.fetch(`https://${AUTH0_DOMAIN}/oauth/token`, { method: 'POST', body });
    await answer.arrayBuffer();
    this.done++;
    if (!answer.ok) this.#failures++;
  }
}
