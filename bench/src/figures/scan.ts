import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { scan as scanTargets } from 'certpin/probe';
import { type Benchmark, figure } from '../figure.ts';
import { alternate, inParallel } from '../measure.ts';

const execute = promisify(execFile);

export const scan: Benchmark = {
  name: 'scan',
  about:
    'Targets a second of a scan in one process, against a loop of `openssl s_client` and `openssl x509` with two workers, both at the same server.',
  run: async (stage) => {
    const { host, port, certificatePin } = await stage.web('p256');
    const target = `${host}:${port}`;
    // The loop is slow: it gets fewer targets in a round, and both are counted by the target.
    const perLoop = 20;
    const ours = async (count: number): Promise<void> => {
      for (let done = 0; done < 10; done++) {
        for await (const report of scanTargets(
          Array.from({ length: count }, () => `https://${target}`),
          { concurrency: 64 },
        )) {
          if (!report.ok || report.certificate.sha256 !== certificatePin) throw new Error('the scan went wrong');
        }
      }
    };
    const line = `openssl s_client -connect ${target} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256`;
    const peer = (count: number): Promise<void> => inParallel(count, 2, () => execute('sh', ['-c', line]));
    const {
      speed,
      ours: own,
      peer: other,
    } = await alternate({
      ours,
      peer,
      count: perLoop,
      rounds: stage.quick ? 5 : 15,
    });
    const ratio = { low: speed.low * 10, median: speed.median * 10, high: speed.high * 10 };
    const details = {
      'ours, ms a target': own.elapsedMs.median / 10,
      'peer, ms a target': other.elapsedMs.median,
      'ours, CPU ms a target': own.cpuMs.median / 10,
    };
    const peerName = 'openssl s_client | openssl x509, two workers';
    return {
      figures: [
        figure({ name: 'scan', what: 'targets a second', peer: peerName, ratio, target: { atLeast: 40 }, details }),
      ],
    };
  },
};
