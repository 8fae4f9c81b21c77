/**
 * Whether this is the inline form: the block that stands inside a script of a platform where no package can be required. There
 * tools/inline.mjs puts true, and the bundler leaves out what the constant cuts off. What the inline form lacks it refuses when a
 * configuration asks for it; it never does less than it was asked for.
 */
export const INLINE: boolean = false;
