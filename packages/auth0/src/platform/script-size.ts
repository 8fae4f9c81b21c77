/** Of a script or an Action, without npm packages. Auth0's documentation says 100 kB: the smaller reading of it counts. */
export const MAX_SCRIPT_BYTES = 100_000;
