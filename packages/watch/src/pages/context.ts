import type { PageStore } from '../store/store.ts';
import type { Html } from './html.ts';
import type { Clock } from './times.ts';

/** What every page is made of. */
export interface PageContext {
  readonly store: PageStore;
  readonly clock: Clock;
}

/** A page, for machines and for people: the HTML shows nothing that is not in `data`, but for words and commands. */
interface Page {
  readonly title: string;
  readonly data: object;
  readonly body: () => Html;
}

/** Makes a page of what stands behind the `?`. @throws QueryError */
export type MakePage = (query: URLSearchParams, context: PageContext) => Promise<Page>;

/** The address was typed, or altered: the sentence goes to whoever did it. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
  /** An HTTP status. */
  readonly status: 400 | 404;

  constructor(message: string, status: 400 | 404 = 400) {
    super(message);
    this.status = status;
  }
}
