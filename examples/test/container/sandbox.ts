import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nodeOf } from '../../../packages/auth0/test/nodes.ts';

export interface Mount {
  readonly source: string;
  /** In the sandbox. */
  readonly target: string;
  readonly isReadOnly: boolean;
}

export interface SandboxOptions {
  /** The folder that is the root, which nobody can write. */
  readonly root: string;
  readonly mounts: readonly Mount[];
  /** `65532:65532` */
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * A process with the file system, the user and the rights of a container, by the system calls that an engine uses too: `unshare`, `mount`,
 * `chroot`. The network is this machine's. Only root may do that.
 */
export function startInSandbox({ root, mounts, user, env }: SandboxOptions, argv: readonly string[]): ChildProcess {
  const [uid = '', gid = ''] = user.split(':');
  // Of the base image: Node, the libraries that it needs, and devices.
  const base: Mount[] = [
    { source: dirname(nodeOf(22)), target: '/nodejs/bin', isReadOnly: true },
    ...['/lib', '/lib64', '/usr/lib', '/dev'].map((path) => ({
      source: path,
      target: path,
      isReadOnly: path !== '/dev',
    })),
  ];
  const all = [...base, ...mounts];
  for (const { target } of all) mkdirSync(join(root, target), { recursive: true });
  const script = [
    'set -e',
    `mount --bind '${root}' '${root}'`,
    ...all.flatMap(({ source, target, isReadOnly }) => [
      `mount --bind '${source}' '${root}${target}'`,
      ...(isReadOnly ? [`mount -o remount,bind,ro '${root}${target}'`] : []),
    ]),
    `mount -o remount,bind,ro '${root}'`,
    // Who enters loses every right of root on the way.
    `exec setpriv --no-new-privs chroot --userspec=${uid}:${gid} --groups=${gid} '${root}' "$@"`,
  ].join('\n');
  const command = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', ...argv];
  return spawn('unshare', command, { env, stdio: ['ignore', 'pipe', 'pipe'] });
}
