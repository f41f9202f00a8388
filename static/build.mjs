// Bundle static/src into static/build with esbuild, then collect everything (django-htmx's files too) under hashed names.
// Every .js and .css right under static/src is an entry; folders below it hold what entries import. Dynamic imports
// become chunks of their own, so the editor is fetched only when it is opened.
import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "src");
const target = join(here, "build");
const root = dirname(here);

rmSync(target, { recursive: true, force: true });
await esbuild.build({
  absWorkingDir: root,
  entryPoints: readdirSync(source).filter((name) => /\.(js|css)$/.test(name)).map((name) => join(source, name)),
  outdir: target,
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["chrome111", "firefox115", "safari16.4"],
  minify: true,
  charset: "utf8",
  logLevel: "warning",
});
cpSync(join(source, "assets"), target, { recursive: true });
execFileSync(join(root, ".venv/bin/python"), ["manage.py", "collectstatic", "--clear", "--no-input", "--verbosity=0"], {
  cwd: root,
  stdio: "inherit",
});
writeFileSync(join(target, ".stamp"), "");
