/** Servers that one script may talk to. */
export const SERVERS = 8;

/** Connections to one server that are tried, each on its own. */
export const CONNECTIONS = 8;
