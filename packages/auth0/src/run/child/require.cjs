// @ts-check
'use strict';
const { existsSync, readFileSync } = require('node:fs');
const { builtinModules, createRequire: requireFrom } = require('node:module');
const { dirname, isAbsolute, join } = require('node:path');

/**
 * `require` of a script. `pg@8.7.1` gives the version of pg that is installed in the script's folder, or in the working folder of the
 * command. The parent compares the versions.
 *
 * @param {string[]} folders
 * @param {(message: object) => void} report
 */
function createRequire(folders, report) {
  return (/** @type {string} */ request) => {
    const { name, wanted, path } = splitRequest(request);
    if (request.startsWith('node:') || builtinModules.includes(name)) return require(request);
    if (/^(?:\.{0,2}\/|[a-z]:\\)/i.test(request)) {
      throw notFound(request, 'a script is alone in its container: there are no files beside it');
    }
    const file = resolveFrom(folders, name + path);
    const found = isAbsolute(file);
    report({ type: 'module', request, name, wanted, version: found ? versionOf(file, name) : null });
    if (!found) throw notFound(request);
    return require(file);
  };
}

/**
 * @param {string[]} folders
 * @param {string} specifier
 * @returns the file, or the specifier where there is none
 */
function resolveFrom(folders, specifier) {
  for (const folder of folders) {
    try {
      return requireFrom(join(folder, 'script.js')).resolve(specifier);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return specifier;
}

/** @param {string} request `@scope/name@1.2.3/path` */
function splitRequest(request) {
  const [, name = request, wanted = null, path = ''] =
    /^((?:@[^/@]+\/)?[^/@]+)(?:@([^/]+))?(\/.*)?$/.exec(request) ?? [];
  return { name, wanted, path };
}

/**
 * @param {string} request
 * @param {string} [reason]
 */
function notFound(request, reason) {
  const error = new Error(`Cannot find module '${request}'${reason === undefined ? '' : `: ${reason}`}`);
  return Object.assign(error, { code: 'MODULE_NOT_FOUND' });
}

/**
 * @param {string} file
 * @param {string} name
 */
function versionOf(file, name) {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (!existsSync(manifest)) continue;
    const found = JSON.parse(readFileSync(manifest, 'utf8'));
    if (found.name === name || folder.replaceAll('\\', '/').endsWith(`node_modules/${name}`))
      return found.version ?? null;
  }
  return null;
}

module.exports = { createRequire, resolveFrom };
