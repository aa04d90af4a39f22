/** StateFolder: the folder that the state is kept in, checked to be usable, whole, and nobody else's at the moment. */
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { StartError } from "./failure.ts";

/** Larger databases are only looked into, not read through: a start must not take minutes. */
const READ_THROUGH_BYTES = 32 * 1024 * 1024;
/** After a kill, the Workers of that run end within this time. */
const ORPHANS_END_MS = 1_000;

export class StateFolder {
  readonly path: string;
  readonly #lock: DatabaseSync;

  private constructor(folder: string, lock: DatabaseSync) {
    this.path = folder;
    this.#lock = lock;
  }

  /** @throws StartError that names STATE_DIR, when the folder cannot be used. */
  static async open(folder: string): Promise<StateFolder> {
    makeWritable(folder);
    const state = new StateFolder(folder, lock(folder));
    try {
      if (existsSync(state.#running)) await sleep(ORPHANS_END_MS);
      writeFileSync(state.#running, `${process.pid}\n`);
      checkDatabases(folder);
      return state;
    } catch (thrown) {
      state.close();
      throw thrown instanceof StartError ? thrown : unusable(folder, thrown);
    }
  }

  /** The run has ended in order. */
  close(): void {
    rmSync(this.#running, { force: true });
    this.#lock.close();
  }

  /** There while a run has not ended in order. */
  get #running(): string {
    return path.join(this.path, "running");
  }
}

function makeWritable(folder: string): void {
  try {
    makeFolder(folder);
    if (!statSync(folder).isDirectory()) throw new Error("it is a file");
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (thrown) {
    throw unusable(folder, thrown);
  }
}

/** Not `recursive`: in folders that are no real ones, such as /proc, Node then tries for ever. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  const parent = path.dirname(folder);
  if (parent !== folder) makeFolder(parent);
  mkdirSync(folder);
}

/** A lock of the operating system, by way of SQLite: it is gone with its process, however that ends. */
function lock(folder: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path.join(folder, "lock"));
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return database;
  } catch (thrown) {
    database?.close();
    if (thrown instanceof Error && /locked/.test(thrown.message)) {
      throw new StartError(
        `STATE_DIR: ${folder} is in use by another npm start; stop that one, or set STATE_DIR to another folder.`,
      );
    }
    throw unusable(folder, thrown);
  }
}

/** workerd meets a damaged database only when an object is used, and then in each request; so better say it now. */
function checkDatabases(folder: string): void {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  for (const name of files.filter((file) => file.endsWith(".sqlite"))) {
    const fault = faultOf(path.join(folder, name));
    if (fault === undefined) continue;
    throw new StartError(
      `STATE_DIR: the state in ${folder} is damaged (${name}: ${fault}); set STATE_DIR to another folder, or delete this one to count from zero.`,
    );
  }
}

function faultOf(file: string): string | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    database.prepare("SELECT count(*) FROM sqlite_schema").get();
    if (statSync(file).size > READ_THROUGH_BYTES) return undefined;
    const rows = database.prepare("PRAGMA quick_check(1)").all();
    const verdict = String(Object.values(rows[0] ?? {})[0] ?? "ok");
    return verdict === "ok" ? undefined : verdict.replaceAll("\n", " ");
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } finally {
    database?.close();
  }
}

function unusable(folder: string, thrown: unknown): StartError {
  const { code, message } = thrown as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    EEXIST: "it is a file",
    ENOTDIR: "a part of its path is a file",
    EACCES: "it may not be written to",
    EPERM: "it may not be written to",
    ENOENT: "its folder takes no folders",
    EROFS: "it is on a read-only disk",
    ENOSPC: "the disk is full",
  };
  const reason = reasons[code ?? ""] ?? message;
  return new StartError(
    `STATE_DIR: ${folder} cannot hold the state, since ${reason}; set STATE_DIR to another folder.`,
  );
}
