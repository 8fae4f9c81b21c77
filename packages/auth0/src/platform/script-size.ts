/** The limit for a script or an Action, without npm packages. Auth0's documentation says 100 kB. The smaller meaning of that is used. */
export const MAX_SCRIPT_BYTES = 100_000;
