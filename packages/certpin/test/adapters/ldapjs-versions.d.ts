// DefinitelyTyped describes ldapjs 3 only. Of 2 the tests use what both have.
declare module 'ldapjs-2' {
  import ldapjs from 'ldapjs';
  export default ldapjs;
}
