/** MeteredBucket: an R2 bucket that tells of each operation by the class that it is billed in; what is free it does not tell of. */

export type R2Class = "a" | "b";

/** `delete`, and giving up an upload, are free. */
const CLASSES: Readonly<Record<string, R2Class>> = {
  put: "a",
  list: "a",
  createMultipartUpload: "a",
  uploadPart: "a",
  complete: "a",
  get: "b",
  head: "b",
};

/** Makes an upload in parts, whose parts are operations as well. */
const UPLOADS = new Set(["createMultipartUpload", "resumeMultipartUpload"]);

type Count = (operation: R2Class) => void;

export function isBucket(binding: unknown): binding is object {
  return typeof binding === "object" && binding !== null && "createMultipartUpload" in binding;
}

/** Also for an upload of a bucket. An operation that fails is told of as well. */
export function meteredBucket<T extends object>(bucket: T, count: Count): T {
  return new Proxy(bucket, {
    get(_, name: string) {
      const value: unknown = Reflect.get(bucket, name, bucket);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        const operation = Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined;
        if (operation !== undefined) count(operation);
        const result: unknown = value.apply(bucket, args);
        return UPLOADS.has(name) ? meteredUpload(result, count) : result;
      };
    },
  });
}

function meteredUpload(upload: unknown, count: Count): unknown {
  if (upload instanceof Promise) return upload.then((made: object) => meteredBucket(made, count));
  return meteredBucket(upload as object, count);
}
