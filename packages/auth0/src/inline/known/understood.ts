import { CALLED, GLOBALS } from './globals.ts';
import { MODULES } from './modules.ts';
import { isPackage, isUnderstoodOfPackage } from './packages.ts';

/** `Array.prototype.slice.call`: a method that is borrowed. */
const BORROWED =
  /^(?:Object\.prototype\.(?:hasOwnProperty|toString|propertyIsEnumerable)|(?:Array|String)\.prototype\.(?:slice|concat|map|forEach|filter|join|indexOf|includes|some|every|reduce|trim))(?:\.(?:call|apply))?$|^(?:Object|Array|String|Error|Function)\.prototype$/;

/** Whether the use of a module or a package of Node, or of a member of it, is understood. What is not listed is unclear. */
export function isUnderstood({
  isModule,
  path,
}: {
  readonly isModule: boolean;
  readonly path: readonly string[];
}): boolean {
  const [root = '', ...members] = path;
  if (isPackage(isModule, path)) return isUnderstoodOfPackage(path);
  // `require('url').URL` is the global of that name, and so on.
  if (isModule && members.length > 1 && (members[0] ?? '') in GLOBALS)
    return MODULES[root]?.has(members[0] ?? '') === true && isUnderstood({ isModule: false, path: members });
  if (!isModule && BORROWED.test(path.join('.'))) return true;
  const table = isModule ? MODULES : GLOBALS;
  if (members.length === 0) return isModule ? root in MODULES : root in GLOBALS || CALLED.has(root);
  const allowed = table[[root, ...members.slice(0, -1)].join('.')];
  const last = members.at(-1) ?? '';
  return allowed?.has('*') === true || allowed?.has(last) === true;
}

/** Functions of Node that may be passed to others: they keep nothing, and change nothing. */
const HANDED_OVER =
  /^(?:Boolean|String|Number|parseInt|parseFloat|encodeURIComponent|decodeURIComponent|JSON\.(?:parse|stringify)|console\.\w+|Array\.isArray|Number\.\w+|Math\.\w+|Date\.now|process\.(?:env|version|platform|pid)(?:\.\w+)?)$/;

/**
 * Whether something of Node or of a package may be an argument, or be kept in an object. `TYPES.VarChar` of a package, for example, is a
 * constant.
 */
export function mayBeHandedOver(isModule: boolean, path: readonly string[]): boolean {
  if (isPackage(isModule, path)) return path.slice(1).some((name) => /^[A-Z][A-Z\d_]+$/.test(name));
  return !isModule && HANDED_OVER.test(path.join('.'));
}

/** What a class of a script may extend. */
export function mayBeExtended(isModule: boolean, path: readonly string[]): boolean {
  return !isModule && /^\w*Error$/.test(path.join('.'));
}
