/** Something in the configuration is wrong: the message names the file, the place in it and what was expected. */
export class ConfigError extends Error {}
