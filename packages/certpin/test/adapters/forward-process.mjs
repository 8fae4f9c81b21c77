// A program that uses an end and forgets to close it: it is to end by itself. What it does stands in its argument.
import cluster from 'node:cluster';
import { once } from 'node:events';
import { connect } from 'node:net';
import { pinnedForward, pinnedForwardPath } from '../../src/adapters/forward.ts';

const { task, server, policy } = JSON.parse(process.argv[2]);

/** Says a word and hears it again, and leaves the connection as `leave` says. */
async function echo(where, leave = (socket) => socket.destroy()) {
  const socket = connect(where);
  socket.write('hello');
  const [answer] = await once(socket, 'data');
  leave(socket);
  return String(answer);
}

const tasks = {
  loopback: async () => console.log(await echo(await pinnedForward(server, policy))),
  unix: async () => {
    const end = await pinnedForwardPath(server, policy);
    console.log(await echo(end), end.path);
  },
  stopped: async () => {
    console.log((await pinnedForwardPath(server, policy)).path);
    process.exit(0);
  },
  /** The connection is idle and unreferenced by its client, as one in a pool. */
  idle: async () => console.log(await echo(await pinnedForward(server, policy), (socket) => socket.unref())),
  /** Nothing but the client's own socket holds the process, from the call on. */
  pending: async () => {
    const end = await pinnedForward(server, policy);
    await new Promise((resolve) => setTimeout(resolve, 20));
    console.log(await echo(end));
  },
  /** Two processes use their ends at the same time. */
  cluster: async () => {
    const words = async () => (await once(process, 'message'))[0];
    if (cluster.isPrimary) {
      const workers = [cluster.fork(), cluster.fork()];
      const answers = () => Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
      const ask = (word) => {
        for (const worker of workers) worker.send(word);
      };
      await answers();
      ask('use it');
      console.log((await answers()).join());
      ask('end');
      return;
    }
    const end = await pinnedForward(server, policy);
    process.send('it listens');
    await words();
    const answers = await Promise.all(Array.from({ length: 10 }, () => echo(end).catch((error) => error.message)));
    process.send([...new Set(answers)].join());
    await words();
    process.disconnect();
  },
};

await tasks[task]();
