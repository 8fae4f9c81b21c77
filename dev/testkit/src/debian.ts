import { execFileSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The path of a server's program. If it is missing, Debian's package is installed, if that is possible here. Its service does not start
 * automatically.
 *
 * @param program its name, in one of the folders for programs or relative to it
 * @param settings environment variables for the package's own scripts
 */
export function requirePackage(name: string, program: string, settings: Readonly<Record<string, string>> = {}): string {
  const found = find(program);
  if (found !== undefined) return found;
  const canInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  if (!canInstall)
    throw new Error(
      `these tests need ${program}: apt-get install ${name} (Debian, Ubuntu; as root they do it themselves)`,
    );
  // The scripts of a package ask policy-rc.d before they start a service (invoke-rc.d(8)).
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  if (isOurs) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', ...settings };
    execFileSync('apt-get', ['update'], { env, stdio: 'pipe' });
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', name], { env, stdio: 'pipe' });
  } finally {
    if (isOurs) rmSync(policy);
  }
  const installed = find(program);
  if (installed === undefined) throw new Error(`${name} was installed, and there is no ${program}`);
  return installed;
}

function find(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, program)).find((file) => existsSync(file));
}
