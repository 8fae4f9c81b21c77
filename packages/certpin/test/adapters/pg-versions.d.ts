// Older majors of the same package under names of their own; @types/pg describes them well enough.
declare module 'pg-8.8' {
  export { default } from 'pg';
}
declare module 'pg-8.9' {
  export { default } from 'pg';
}
