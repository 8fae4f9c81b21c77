import type { AskedDatabase } from '@certpin/testkit/clients';
import type tedious from 'tedious';

/** Any version of tedious: they agree in what is used here. */
export type Tedious = Pick<typeof tedious, 'Connection' | 'Request' | 'TYPES'>;

/** Connects, as `connect()` of the driver; rejects with the driver's own error. */
export function connectTedious(connection: InstanceType<Tedious['Connection']>): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.on('error', () => undefined);
    connection.connect((error) => (error === undefined || error === null ? resolve() : reject(error)));
  });
}

/** A connection of tedious as a database of the suite. */
export async function openTedious(
  { Request, TYPES }: Tedious,
  connection: InstanceType<Tedious['Connection']>,
): Promise<AskedDatabase> {
  await connectTedious(connection);
  const ask = (text: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      let answer: unknown;
      const request = new Request('SELECT @text AS answer', (error) => (error ? reject(error) : resolve(answer)));
      request.on('row', ([column]: { value: unknown }[]) => {
        answer = column?.value;
      });
      request.addParameter('text', TYPES.NVarChar, text);
      connection.execSql(request);
    });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      // A connection that its server has ended is closed already, and says so no more.
      if ((connection as { closed?: boolean }).closed === true) resolve();
      connection.on('end', () => resolve());
      connection.close();
    });
  return { ask, close };
}
