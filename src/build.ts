/** What script/build puts into a built program; a source tree has none of it. */

declare const KLEINHIRN_COMMIT: string;
declare const KLEINHIRN_GEM: string;

/** The commit that the program was built from, abbreviated; undefined where it isn't known. */
export const commit: string | undefined = typeof KLEINHIRN_COMMIT === "string" ? KLEINHIRN_COMMIT : undefined;

/** The Ruby gem as one program (script/lib/gem-program.ts makes it); undefined: it is in the folder ruby/. */
export const gemProgram: string | undefined = typeof KLEINHIRN_GEM === "string" ? KLEINHIRN_GEM : undefined;
