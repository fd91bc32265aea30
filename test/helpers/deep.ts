/** `script/test --deep`: the long runs. Any other value, also an empty one, is the plain run, in tests and scripts alike. */
export const isDeep = process.env.KLEINHIRN_DEEP === "1";
