import type { Json } from './events.ts';
import type { ApiCall, ConsoleLine, LoadedModule, Remark, SerializedError } from './result.ts';

/** What the child says. */
export type ChildMessage = { readonly dropped?: number } & (
  | { readonly type: 'ready'; readonly node: string }
  | ({ readonly type: 'console' } & ConsoleLine)
  | ({ readonly type: 'module' } & LoadedModule)
  | ({ readonly type: 'call' } & ApiCall)
  | ({ readonly type: 'finding' | 'warning' } & Remark)
  | ({ readonly type: 'connection' } & ScriptConnection)
  | { readonly type: 'other-way'; readonly way: string }
  | ({ readonly type: 'name' } & ScriptName)
  | ({ readonly type: 'handshake' } & ScriptHandshake)
  | ({ readonly type: 'look' } & ScriptLook)
  | { readonly type: 'lost'; readonly properties: readonly string[] }
  | { readonly type: 'callback'; readonly error: SerializedError | null; readonly values: readonly Json[] }
  | { readonly type: 'returned' }
  | { readonly type: 'rejected'; readonly error: SerializedError }
  | { readonly type: 'again' }
  | { readonly type: 'late'; readonly run: number }
  | {
      readonly type: 'fatal';
      /** `process.hrtime`, in ns. */
      readonly at: number;
      readonly origin: string;
      readonly calls: number;
      readonly error: SerializedError;
      readonly survived?: true;
    }
  | { readonly type: 'end'; readonly drained: boolean }
  | { readonly type: 'stopped' }
);

/** A name that a script looks up, or asks for in a TLS handshake. Both go over the network in plaintext. */
export interface ScriptName {
  readonly name: string;
  readonly lookedUp: boolean;
}

/** A TLS handshake that the script completed. */
export interface ScriptHandshake {
  /** SHA-256 of the certificate that was presented, as Node writes it. */
  readonly certificate: string;
  /** Whether OpenSSL's verification accepted it, whatever the script does with that. */
  readonly trusted: boolean;
}

/** What the script read of a certificate that was presented to it. */
export interface ScriptLook {
  readonly certificate: string;
  /** A property or method of Node's certificate; `session`; `digest` and `weak digest`: what the script hashed, and how. */
  readonly at: string;
}

/** A connection that a script asked for. */
export interface ScriptConnection {
  readonly host: string;
  readonly port: number;
  /** The port of this machine to which it was led. null: it went where the script wanted. */
  readonly via: number | null;
}
