/** What stands at a path, links followed. `reason` is the system's error code, `ENOENT` for most. */
export type Look =
  | { readonly kind: "file" | "folder" | "other"; readonly readable: boolean; readonly executable: boolean }
  | { readonly kind: "absent"; readonly reason: string };

export type ReadResult =
  | { readonly ok: true; readonly bytes: Uint8Array }
  /** The system's error code, such as `EACCES`. */
  | { readonly ok: false; readonly code: string };

/** All that reading a configuration needs of the machine, so that a test can bring a machine of its own. */
export type World = {
  /** Absolute. */
  readonly currentFolder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly look: (path: string) => Look;
  readonly readFile: (path: string) => ReadResult;
  /** What `count = "auto"` means here. */
  readonly availableCpus: () => number;
};
