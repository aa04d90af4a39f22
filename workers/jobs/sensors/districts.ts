/** Districts: the register of the city's districts, and how much pollution is too much in each. */

/** The pollution index (higher is worse) over which a sensor counts as over its limit. */
export const districts: ReadonlyMap<string, number> = new Map([
  ["airport", 120],
  ["harbour", 120],
  ["hospital", 60],
  ["industry", 150],
  ["market", 90],
  ["old-town", 80],
  ["park", 50],
  ["station", 100],
  ["suburb", 70],
  ["university", 75],
]);
