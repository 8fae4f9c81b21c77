// @ts-check
'use strict';
// The session token of `api.redirect`: a JWT, signed with HMAC-SHA-256 (RFC 7515, RFC 7519).
const { createHmac, timingSafeEqual } = require('node:crypto');

const encode = (/** @type {object} */ value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const sign = (/** @type {string} */ text, /** @type {string} */ secret) =>
  createHmac('sha256', secret).update(text).digest();

/**
 * @param {{ secret: string, expiresInSeconds?: number, payload?: object }} options
 * @param {any} event
 */
function encodeToken({ secret, expiresInSeconds = 900, payload = {} }, event) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: event.request?.hostname, sub: event.user?.user_id, iat: now, exp: now + expiresInSeconds };
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ ...claims, ...payload })}`;
  return `${text}.${sign(text, secret).toString('base64url')}`;
}

/**
 * @param {{ secret: string, tokenParameterName?: string }} options
 * @param {any} event
 */
function validateToken({ secret, tokenParameterName = 'session_token' }, event) {
  const token = event.request?.body?.[tokenParameterName] ?? event.request?.query?.[tokenParameterName];
  const [header = '', claims = '', signature = ''] = String(token ?? '').split('.');
  const expected = sign(`${header}.${claims}`, secret);
  const given = Buffer.from(signature, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new Error(`the token in ${tokenParameterName} is missing or was signed with another secret`);
  }
  const payload = JSON.parse(Buffer.from(claims, 'base64url').toString());
  if (payload.exp !== undefined && payload.exp * 1000 < Date.now()) throw new Error('the token has expired');
  return payload;
}

module.exports = { encodeToken, validateToken };
