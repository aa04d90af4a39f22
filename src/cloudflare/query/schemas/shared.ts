/** Shared: what the shapes of several routes are made of. */
import * as v from "valibot";
import { problemSchema as plainProblem } from "../../http/openapi.ts";

export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
export const time = v.pipe(v.string(), v.isoTimestamp(), v.description("ISO 8601, UTC"));

export const operatorKind = v.picklist(["aggregate", "window", "process", "stage", "sink", "pull"]);

/** Under a name, since every route answers it. */
export const problemSchema = v.pipe(plainProblem, v.metadata({ ref: "Problem" }));
