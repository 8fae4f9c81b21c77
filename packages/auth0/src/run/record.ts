import type { ChildMessage } from './child-messages.ts';
import type { ApiCall, ConsoleLine, LoadedModule, Outcome, Remark } from './result.ts';

/** Lines of the console that a result keeps. */
const LINES = 500;

/** What is known of a run, recorded from the child's reports. */
export class RunRecord {
  outcome: Outcome | undefined;
  ended: string | null = null;
  readonly findings: Remark[] = [];
  readonly warnings: Remark[] = [];
  readonly calls: ApiCall[] = [];
  readonly console: ConsoleLine[] = [];
  consoleDropped = 0;
  readonly modules: LoadedModule[] = [];

  add(message: ChildMessage): void {
    this.consoleDropped += message.dropped ?? 0;
    switch (message.type) {
      case 'console':
        this.print(message);
        break;
      case 'module': {
        const { request, name, wanted, version } = message;
        if (this.modules.some((known) => known.request === request)) break;
        this.modules.push({ request, name, wanted, version });
        break;
      }
      case 'call':
        this.calls.push({ method: message.method, arguments: message.arguments });
        break;
      case 'finding':
        this.find(message.code, message.message);
        break;
      case 'warning':
        this.warn(message.code, message.message);
        break;
      case 'lost':
        this.warn(
          'error-properties-lost',
          `the platform drops these properties of the error: ${message.properties.join(', ')}; put what matters into code or message`,
        );
        break;
      case 'callback':
        this.outcome = { type: 'callback', error: message.error, values: message.values };
        break;
      case 'returned':
        this.outcome = { type: 'returned' };
        break;
      case 'rejected':
        this.outcome = { type: 'exception', origin: 'rejected', error: message.error };
        break;
      case 'again':
        this.find('callback-twice', 'the callback was called more than once; only the first call counts');
        break;
      case 'late':
        this.addEarlier(message);
        break;
      case 'fatal':
        this.fail(message);
        break;
      default:
    }
  }

  /** What an earlier run did after its end. */
  addEarlier(message: ChildMessage): void {
    if (message.type === 'late') {
      this.find('callback-late', 'the callback of an earlier run was called after that run had ended');
    } else if (message.type === 'fatal') {
      const { name = 'Error', message: text } = message.error;
      this.find(
        'uncaught-late',
        `after an earlier run, an exception that nobody catches ended the container: ${name}: ${text}`,
      );
    }
  }

  find(code: string, message: string): void {
    if (!this.findings.some((known) => known.code === code && known.message === message))
      this.findings.push({ code, message });
  }

  warn(code: string, message: string): void {
    if (!this.warnings.some((known) => known.code === code && known.message === message))
      this.warnings.push({ code, message });
  }

  private print({ level, text }: ConsoleLine): void {
    this.console.push({ level, text });
    if (this.console.length <= LINES) return;
    this.console.shift();
    this.consoleDropped++;
  }

  private fail({ origin, calls, error, survived }: Extract<ChildMessage, { type: 'fatal' }>): void {
    const what =
      origin === 'unhandledRejection' ? 'a rejected promise that nobody handles' : 'an exception that nobody catches';
    const when = calls === 0 ? '' : ', after the callback';
    const end = survived ? '' : '; it ends the container, and every other login that runs in it';
    this.find(
      calls === 0 ? 'uncaught' : 'uncaught-late',
      `${what}${when}: ${error.name ?? 'Error'}: ${error.message}${end}`,
    );
    this.outcome ??= { type: 'exception', origin, error };
    if (!survived) this.ended = what;
  }
}
