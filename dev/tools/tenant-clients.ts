import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('./tenant-clients/', import.meta.url));

/** Auth0's own clients of its Management API, installed where they are missing or of another version. */
export interface TenantClients {
  /** What `require('auth0')` gives: its types are missing before it is installed. */
  readonly sdk: unknown;
  /** The program file of `a0deploy`. */
  readonly deployCli: string;
}

/** @throws Error if they cannot be installed */
export function requireTenantClients(): TenantClients {
  const { dependencies } = readManifest(folder) as { dependencies: Record<string, string> };
  const isInstalled = ([name, version]: [string, string]): boolean => {
    const installed = join(folder, 'node_modules', name);
    return existsSync(join(installed, 'package.json')) && readManifest(installed).version === version;
  };
  if (!Object.entries(dependencies).every(isInstalled)) {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: folder, stdio: 'inherit' });
  }
  const modules = join(folder, 'node_modules');
  const require = createRequire(import.meta.url);
  return { sdk: require(join(modules, 'auth0')), deployCli: join(modules, 'auth0-deploy-cli/lib/index.js') };
}

function readManifest(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
}
