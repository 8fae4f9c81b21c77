import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { hostileClientNames } from './clients.ts';
import type { HostileResult, NotRun } from './worker.ts';

interface Options {
  readonly connections: number;
  readonly client: readonly string[];
  readonly node: readonly string[];
  readonly json?: true;
}

/** @returns the exit code: 0 everything held, 1 something did not, 2 it could not be run */
export async function run(argv: readonly string[]): Promise<0 | 1 | 2> {
  try {
    const { connections, client: names, node: nodes, json } = readOptions(argv);
    let [ok, hasRun] = [true, false];
    for (const node of nodes) {
      for (const name of names) {
        const result = await attack(node, name, connections);
        if (typeof result === 'object' && 'notRun' in result) {
          const line = `${name}, Node ${result.node}: not run: ${result.notRun}\n\n`;
          process.stdout.write(json ? `${JSON.stringify({ name, node, notRun: result.notRun })}\n` : line);
          continue;
        }
        hasRun = true;
        const faults = typeof result === 'string' ? [result] : faultsOf(result);
        ok &&= faults.length === 0;
        process.stdout.write(
          json ? `${JSON.stringify({ name, node, result, faults })}\n` : render(name, result, faults),
        );
      }
    }
    if (!hasRun) throw new Error('nothing was run');
    process.stdout.write(json ? '' : ok ? 'everything held\n' : 'something did not hold\n');
    return ok ? 0 : 1;
  } catch (error) {
    if (!(error instanceof CommanderError)) process.stderr.write(`hostile: ${(error as Error).stack}\n`);
    return error instanceof CommanderError && error.exitCode === 0 ? 0 : 2;
  }
}

function readOptions(argv: readonly string[]): Options {
  return new Command('hostile')
    .description('Connections to servers that break, reset and pollute them, in the handshake and behind it.')
    .option('--connections <number>', 'for each client, on each Node', readCount, 10_000)
    .addOption(new Option('--client <name...>', 'only these').choices(hostileClientNames).default(hostileClientNames))
    .option('--node <path...>', 'binaries of Node to run the clients on', [process.execPath])
    .option('--json', 'print a line of JSON for each client')
    .exitOverride()
    .parse([...argv], { from: 'user' })
    .opts<Options>();
}

function readCount(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number, 1 or more.');
}

/** In a process of its own, because the client may bring the process down. @returns a text if it did */
function attack(node: string, name: string, connections: number): Promise<HostileResult | NotRun | string> {
  const worker = fileURLToPath(new URL('worker.ts', import.meta.url));
  const options = { maxBuffer: 2 ** 26 };
  return new Promise((resolve) => {
    const args = ['--no-warnings', '--import', 'tsx', worker, name, String(connections)];
    execFile(node, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout) as HostileResult | NotRun);
      else resolve(`the process has ended: ${error.signal ?? `exit code ${error.code}`}\n${stderr.slice(-1000)}`);
    });
  });
}

function faultsOf({ wrongServer, rightServer, impostorBytes, processEvents }: HostileResult): string[] {
  return [
    ...(impostorBytes > 0 ? [`${impostorBytes} application bytes reached the impostor`] : []),
    ...(wrongServer.accepted ? [`${wrongServer.accepted} exchanges with the impostor went through`] : []),
    ...[wrongServer, rightServer].flatMap(({ unsettled }) => (unsettled ? [`${unsettled} calls had no end`] : [])),
    ...[...new Set(processEvents)].map((event) => `it reached the process: ${event}`),
  ];
}

function render(name: string, result: HostileResult | string, faults: readonly string[]): string {
  const marked = faults.map((fault) => `  ✗ ${fault}\n`).join('');
  if (typeof result === 'string') return `${name}\n${marked}`;
  const { node, connections, calls, seconds, wrongServer, rightServer, impostorBytes, processEvents } = result;
  const list = (counts: HostileResult['wrongServer']): string =>
    Object.entries(counts)
      .sort(([, one], [, two]) => two - one)
      .map(([end, times]) => `${end} ${times}`)
      .join(', ');
  return [
    `${name}, Node ${node}: ${connections} connections, ${calls} calls, ${seconds} s`,
    `  wrong server: ${list(wrongServer)}`,
    `  right server, broken by others: ${list(rightServer)}`,
    `  bytes at the impostor: ${impostorBytes}; process-wide events: ${processEvents.length}`,
    marked,
  ].join('\n');
}
