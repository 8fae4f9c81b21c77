import { magicPackage } from '../platform/magic-names.ts';
import { isRemovedModule, isRemovedVersion, MODULE_LIST } from '../platform/removed-modules.ts';
import type { LoadedModule, Remark } from './result.ts';
import type { ScriptKind } from './roles.ts';

/** What may differ on the platform, for each module that the script loaded. */
export function judgeModule(kind: ScriptKind, { request, name, wanted, version }: LoadedModule): Remark[] {
  const removed = kind === 'action' ? undefined : removalOf(request, name, wanted);
  // It may well be installed here: the author of the script may use it for other code.
  if (name === 'certpin' && kind !== 'action' && kind !== 'hook') {
    const message = `the platform does not offer certpin to these scripts, so require fails there: put certpin into the script, with 'certpin auth0 block'`;
    return [{ code: 'module-not-offered', message }];
  }
  // Do not advise to install what the platform does not have.
  if (version === null && removed !== undefined) return [removed];
  if (version === null) {
    const install = `npm install ${wanted === null ? name : `${name}@${wanted}`}`;
    return [
      {
        code: 'module-missing',
        message: `${request} is not installed beside the script, nor in the working folder: ${install}`,
      },
    ];
  }
  const remarks: Remark[] = [];
  if (kind === 'action' && wanted !== null) {
    const message = `an Action requires ${name} without a version; its dependencies fix the version`;
    remarks.push({ code: 'module-versioned', message });
  }
  if (wanted !== null && wanted !== version) {
    const message = `the script asks for ${request}; it ran with ${name} ${version}, which is what is installed here`;
    remarks.push({ code: 'module-version', message });
  }
  if (removed !== undefined) remarks.push(removed);
  return remarks;
}

/** Whether the platform has removed a module, or this version of it. */
function removalOf(request: string, name: string, wanted: string | null): Remark | undefined {
  const code = 'module-removed';
  if (isRemovedModule(name)) {
    return { code, message: `the platform has removed every version of ${name}: the script must work without it` };
  }
  if (wanted === null || !isRemovedVersion(name, wanted)) return undefined;
  const message = `the platform has removed ${request} from node18 and node22: require a version that ${MODULE_LIST} lists`;
  return { code, message };
}

/** What to do about a name that was once a global. undefined: it never was one. */
export function adviseOnGlobal(message: string): string | undefined {
  const name = /^(\w+) is not defined$/.exec(message)?.[1];
  if (name === undefined || magicPackage(name) === undefined) return undefined;
  return `${name} is not a global since Node 16: the script has to require its module`;
}
