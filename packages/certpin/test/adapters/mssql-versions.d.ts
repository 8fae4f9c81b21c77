declare module 'mssql-11' {
  import mssql from 'mssql';

  export default mssql;
}
