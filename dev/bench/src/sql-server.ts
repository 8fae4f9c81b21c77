/** A process with the scripted SQL Server, because no real one can be had here. */
import { startTdsServer } from '@certpin/testkit/tds';

process.once('message', async (certificate: Parameters<typeof startTdsServer>[0]['certificate']) => {
  const { host, port } = await startTdsServer({ certificate });
  process.send?.({ host, port });
});
process.once('disconnect', () => process.exit());
