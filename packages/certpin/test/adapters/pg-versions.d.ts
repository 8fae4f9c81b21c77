// Older majors of the same package under names of their own; @types/pg describes them well enough.
declare module 'pg-8.8' {
  export { default } from 'pg';
}
declare module 'pg-8.9' {
  export { default } from 'pg';
}
/** How pg reads a configuration, for its own client and for libpq. */
declare module 'pg/lib/connection-parameters' {
  export default class ConnectionParameters {
    constructor(config: object);
    getLibpqConnectionString(done: (error: Error | null, text: string) => void): void;
  }
}
