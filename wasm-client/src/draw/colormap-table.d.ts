/** 256 colours of each map, quiet to loud, as `rrggbb` one after the other. */
export declare const TABLES: Record<"viridis" | "inferno" | "magma" | "cividis", string>;
