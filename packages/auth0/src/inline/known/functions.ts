import { words } from './words.ts';

/** Methods of arrays, texts, promises and maps. Whatever the object is, they change nothing except this object. */
export const HARMLESS_METHODS: ReadonlySet<string> = words(`
  at catch charAt concat endsWith entries every filter finally find findIndex flat flatMap forEach get has hasOwnProperty includes indexOf
  join keys lastIndexOf localeCompare map match matchAll padEnd padStart pop push reduce replace replaceAll reverse search shift slice
  some sort split startsWith substr substring test then toFixed toISOString toLocaleLowerCase toLocaleString toLocaleUpperCase
  toLowerCase toString toUpperCase trim trimEnd trimStart unshift values getTime`);

/** Methods that give a text or a number. */
export const PLAIN_METHODS: ReadonlySet<string> = words(`
  charAt endsWith getTime includes indexOf join lastIndexOf localeCompare padEnd padStart replace replaceAll startsWith substr substring
  test toFixed toISOString toLocaleLowerCase toLocaleString toLocaleUpperCase toLowerCase toString toUpperCase trim trimEnd trimStart`);

/** Functions of Node that give a text, a number or a truth value. */
const PLAIN_CALLS =
  /^(?:String|Number|Boolean|parseInt|parseFloat|isNaN|isFinite|BigInt|encodeURI(?:Component)?|decodeURI(?:Component)?|escape|unescape|btoa|atob|Date|Date\.now|Date\.UTC|Date\.parse|JSON\.stringify|Math\.\w+|Number\.\w+|Array\.isArray|String\.\w+|crypto\.randomUUID)$/;

/** Functions of Node that make a new object, which nobody else has. */
const FRESH_CALLS =
  /^(?:Array|Array\.(?:from|of)|Object\.(?:keys|values|entries|fromEntries|create|getOwnPropertyNames)|JSON\.parse|Map|Set|WeakMap|WeakSet|Date|URL|URLSearchParams|Error|\w+Error|structuredClone|RegExp)$/;

export const isPlainCall = (path: string): boolean => PLAIN_CALLS.test(path);
export const isFreshCall = (path: string): boolean => FRESH_CALLS.test(path);

/** Functions that write into their first argument. */
export const WRITING_CALLS: ReadonlySet<string> = words(`
  Object.assign Object.defineProperty Object.defineProperties Object.setPrototypeOf
  Reflect.set Reflect.defineProperty Reflect.deleteProperty Reflect.setPrototypeOf`);

/** Functions that take an object apart, or make one of parts. */
const TAKES_APART = /^Object\.(?:entries|values|fromEntries|create|defineProperty|defineProperties)$/;

export const takesApart = (path: string): boolean => TAKES_APART.test(path);
