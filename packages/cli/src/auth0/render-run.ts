import { basename } from 'node:path';
import type { RunResult } from '@certpin/auth0';
import { type Colors, printable } from '../io.ts';

/** A result as text: what happened first, then what the platform makes of it, then what the script printed. */
export function renderRun(result: RunResult, colors: Colors): string {
  const { script, kind, name, node, durationMs, status, client, log } = result;
  const role = kind === 'database' || kind === 'rule' ? name : `${kind} ${name}`;
  const paint = { success: colors.green, refused: colors.yellow, error: colors.red }[status];
  const line = (label: string, text: string): string => `  ${label}: ${printable(text)}`;
  return [
    `${printable(basename(script))} (${role}), Node.js ${node}, ${durationMs} ms`,
    `${paint(status)}: ${printable(describe(result))}`,
    ...result.calls.map(({ method, arguments: values }) => {
      const [, object = 'api', name = method] = /^(?:(auth0)\.)?(.*)$/.exec(method) ?? [];
      return line(object, `${name}(${values.map((value) => JSON.stringify(value)).join(', ')})`);
    }),
    ...(client === null
      ? []
      : [
          line(
            'OAuth client',
            `${client.error}: ${client.error_description}${client.basis === 'emulated' ? ' (emulated)' : ''}`,
          ),
        ]),
    ...(log === null ? [] : [line('tenant log', `${log.type}${log.user_id === null ? '' : `, ${log.user_id}`}`)]),
    ...result.findings.map(({ code, message }) => colors.red(line(`finding ${code}`, message))),
    ...result.warnings.map(({ code, message }) => colors.yellow(line(`warning ${code}`, message))),
    ...(result.container.ended === null ? [] : [line('container', `ended by ${result.container.ended}`)]),
    ...(result.consoleDropped === 0 ? [] : [line('console', `${result.consoleDropped} earlier lines are left out`)]),
    ...result.console.flatMap(({ level, text }) => text.split('\n').map((part) => line(`console.${level}`, part))),
  ].join('\n');
}

function describe({ outcome, calls }: RunResult): string {
  switch (outcome.type) {
    case 'callback': {
      if (outcome.error === null)
        return `callback(${['null', ...outcome.values.map((value) => JSON.stringify(value))].join(', ')})`;
      const { name, code, message = '' } = outcome.error;
      return `${name ?? 'error'}${code === undefined ? '' : ` [${code}]`}: ${message}`;
    }
    case 'returned':
      return `the Action ended; ${calls.length === 0 ? 'it asked nothing of api' : `calls of api: ${calls.length}`}`;
    case 'exception':
      return `${outcome.error.name ?? 'exception'}: ${outcome.error.message ?? ''} (${outcome.origin})`;
    case 'none':
      return {
        drained: 'no answer, and nothing left to do',
        'time-limit': 'no answer in time',
        blocked: 'the event loop was blocked',
        exited: 'the process ended',
      }[outcome.reason];
  }
}
