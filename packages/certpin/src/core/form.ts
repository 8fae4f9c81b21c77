/**
 * Whether this is the inline form: the block that stands inside a script of a platform where no package can be required. There
 * dev/tools/inline.mjs puts true, and the bundler leaves out what the constant cuts off. What the inline form lacks it refuses when a
 * configuration asks for it; it never does less than it was asked for.
 */
export const INLINE: boolean = false;

/**
 * Who asks a server for TLS: `certpin` itself, the `driver` with certpin between the two, or `nobody`, where TLS begins at once. The
 * package does all of it. There dev/tools/inline.mjs puts what holds for the client, and nothing of the others is in its block.
 */
export const ASKS: 'all' | 'certpin' | 'driver' | 'nobody' = 'all';
