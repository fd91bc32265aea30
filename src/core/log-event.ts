/** What the core and the shells have to say; the logging layer renders it. Levels as in specification section 2.2. */
export type Level = "critical" | "error" | "warning" | "info" | "debug" | "trace";

/** Values are rendered by the encoders; `undefined` leaves the field out. Durations carry their unit in the key (`ack_ms`). */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

export type LogEvent = {
  readonly level: Level;
  readonly message: string;
  readonly fields: Fields;
};
