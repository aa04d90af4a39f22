/** Shapes: what a layout is made of. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A rectangle by its top left corner, in CSS pixels. */
export interface Box extends Point, Size {}

/** To the right where there is room for it, else downwards; on a phone what is too wide for that goes along a rail. */
export type Direction = "right" | "down" | "rail";

export interface EdgeLayout {
  readonly points: readonly Point[];
  readonly label: Box;
}

export interface Layout extends Size {
  readonly direction: Direction;
  readonly nodes: ReadonlyMap<string, Box>;
  readonly edges: ReadonlyMap<string, EdgeLayout>;
}
