import Table from 'cli-table3';
import { MEMORY_MARGIN, type SoakResult } from './soak.ts';

/** The figures, a column per client, and below them what did not hold. */
export function renderTable(results: readonly SoakResult[]): string {
  const rows: [string, (result: SoakResult) => string][] = [
    ['seconds', ({ seconds }) => String(seconds)],
    ['rounds', ({ rounds }) => String(rounds)],
    ['operations', ({ operations }) => String(operations)],
    ['refusals and failures of certpin', ({ refusals }) => listCounts(refusals)],
    ['connection errors', ({ connectionErrors }) => listCounts(connectionErrors)],
    ['handshakes with the right servers', ({ handshakes }) => String(handshakes)],
    ['connections to the impostor', ({ impostorConnections }) => String(impostorConnections)],
    ['bytes at the impostor', ({ impostorBytes }) => String(impostorBytes)],
    ['sockets, most / after', ({ sockets }) => `${sockets.most} / ${sockets.after}`],
    ['connections at the server, after', ({ serverConnections }) => String(serverConnections)],
    ['heap, first → last rounds', ({ memory }) => growth(memory.first.heap, memory.last.heap)],
    ['external, first → last rounds', ({ memory }) => growth(memory.first.external, memory.last.external)],
    ['faults', ({ faults }) => String(Object.values(faults).reduce((sum, count) => sum + count, 0))],
  ];
  const table = new Table({ head: ['', ...results.map(({ client }) => client)], style: { head: [], border: [] } });
  for (const [name, read] of rows) table.push([name, ...results.map(read)]);
  const faults = results.flatMap(({ client, faults }) =>
    Object.entries(faults).map(([text, count]) => `${client}: ${text} (${count} times)\n`),
  );
  const terms = `Memory may grow by ${mebibytes(MEMORY_MARGIN)}.\n`;
  return `${table.toString()}\n${terms}${faults.join('')}`;
}

function listCounts(counts: Readonly<Record<string, number>>): string {
  return (
    Object.entries(counts)
      .map(([code, count]) => `${code} ${count}`)
      .join('\n') || 'none'
  );
}

function growth(first: number, last: number): string {
  return `${mebibytes(first)} → ${mebibytes(last)}`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(2)} MiB`;
}
