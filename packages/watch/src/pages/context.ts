import type { PageStore } from '../store/store.ts';
import type { Html } from './html.ts';
import type { Clock } from './times.ts';

/** What every page is made from. */
export interface PageContext {
  readonly store: PageStore;
  readonly clock: Clock;
}

/** A page for programs and for people. The HTML shows nothing that is not in `data`, except words and commands. */
interface Page {
  readonly title: string;
  readonly data: object;
  readonly body: () => Html;
}

/** Makes a page from the query of the URL. @throws QueryError */
export type MakePage = (query: URLSearchParams, context: PageContext) => Promise<Page>;

/** The address was typed or changed. The sentence goes to the person who did it. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
  /** An HTTP status. */
  readonly status: 400 | 404;

  constructor(message: string, status: 400 | 404 = 400) {
    super(message);
    this.status = status;
  }
}
