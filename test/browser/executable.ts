/** Executable: which browser the tests run in. */
import { existsSync } from "node:fs";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Why the tests are skipped here, and what to do about it. */
export const NO_BROWSER =
  "no browser here: install Debian's chromium (apt-get install chromium), or give its path as CHROMIUM_PATH";

const { CHROMIUM_PATH } = process.env;

/** The browser's executable; undefined where there is none. */
export const executable = (CHROMIUM_PATH ? [CHROMIUM_PATH] : PLACES).find((path) => existsSync(path));
