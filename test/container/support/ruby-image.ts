/** The example's own Dockerfile, on a base that is made of this machine's Ruby: no image can be had from elsewhere. */
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../../helpers/running.ts";
import type { Binary } from "./binary.ts";
import type { Engine } from "./engine.ts";
import { librariesOf } from "./scratch-image.ts";

const shop = join(repository, "examples/shop");

/** What Ruby says of itself: its program, its libraries, and where its gems are. */
const describeRuby = `
  require "json"
  names = %w[rubylibdir rubyarchdir vendorlibdir vendorarchdir vendordir sitedir]
  folders = names.map { |name| RbConfig::CONFIG[name] } + Gem.path + [Gem.default_specifications_dir]
  puts JSON.generate(program: RbConfig.ruby, api: RbConfig::CONFIG["ruby_version"],
                     folders: folders.select { |folder| folder.start_with?("/usr/", "/var/", "/opt/") && Dir.exist?(folder) })
`;

type Ruby = { readonly program: string; readonly api: string; readonly folders: readonly string[] };

/** What the Dockerfile's steps call, and what the first line of bin/with-socket does. */
const tools = ["/bin/sh", "/usr/bin/env", "/usr/bin/bundle"];

/** @returns its name. */
export function buildShopImage(engine: Engine, binary: Binary): string {
  const context = join(engine.folder, "shop");
  cpSync(shop, context, { recursive: true, filter: (source) => !isLocal(source.slice(shop.length)) });
  const options = [
    ...[
      "--build-context",
      `kleinhirn=${binary.folder}`,
      "--build-arg",
      `RUBY_IMAGE=${buildRubyImage(engine, binary)}`,
    ],
    ...["--build-arg", "BUILD_PACKAGES=", "--build-arg", "RUN_PACKAGES="],
  ];
  engine.do("build", "-q", "--layers=false", "--format", "docker", "-t", "shop", ...options, context);
  return "shop";
}

/** What .dockerignore names, and the lock, which a fresh clone doesn't have either. */
function isLocal(path: string): boolean {
  return /^\/(\.bundle|\.demo-.*|data|test|vendor|Gemfile\.lock)(\/|$)/.test(path);
}

/** Ruby, the libraries that it and kleinhirn need, and the gems of the example where the Dockerfile would install them. */
function buildRubyImage(engine: Engine, binary: Binary): string {
  const context = join(engine.folder, "ruby");
  const files = join(context, "files");
  const answer = Bun.spawnSync(["ruby", "-e", describeRuby]).stdout.toString();
  // Reason for the cast: the program is the one above.
  const ruby = JSON.parse(answer) as Ruby;
  const gems = copyGems(join("ruby", ruby.api), join(files, "app/vendor/bundle"));
  mkdirSync(join(files, "tmp"));
  chmodSync(join(files, "tmp"), 0o1777);
  archive(join(context, "base.tar"), [...listFiles(ruby, gems), ...librariesOf(binary.path)], files);
  writeFileSync(join(context, "Dockerfile"), "FROM scratch\nADD base.tar /\n");
  engine.do("build", "-q", "--layers=false", "-t", "ruby-base", context);
  return "ruby-base";
}

/** Those that the example names: it names the indirect ones too. @returns the folder that has them. */
function copyGems(version: string, target: string): string {
  const gemfile = readFileSync(join(shop, "Gemfile"), "utf8");
  const names = [...gemfile.matchAll(/^ *gem "(.+)", "(.+)"/gm)].map(
    ([, name, number]) => `${name}-${number}`,
  );
  const source = join(repository, ".tools/bundle", version);
  const platform = new Bun.Glob("extensions/*/*").scanSync({ cwd: source, onlyFiles: false });
  for (const extensions of platform) {
    for (const name of names)
      copyIfThere(join(source, extensions, name), join(target, version, extensions, name));
  }
  for (const name of names) {
    for (const path of [`gems/${name}`, `specifications/${name}.gemspec`]) {
      copyIfThere(join(source, path), join(target, version, path));
    }
  }
  return target;
}

/** Without what is only there for compiling. */
function copyIfThere(source: string, target: string): void {
  if (!existsSync(source)) return;
  cpSync(source, target, { recursive: true, filter: (path) => !/\/(ext|test|spec|ports|docs?)$/.test(path) });
}

function listFiles({ program, folders }: Ruby, gems: string): readonly string[] {
  const extensions = [...folders, gems].flatMap((folder) => [
    ...new Bun.Glob("**/*.so").scanSync({ cwd: folder, absolute: true }),
  ]);
  const libraries = [program, ...tools, ...extensions].flatMap(librariesOf);
  return [...new Set([program, join("/usr/bin", "ruby"), ...tools, ...folders, ...libraries])];
}

/** With what symbolic links lead to in their place; of `folder`, what is in it. */
function archive(file: string, paths: readonly string[], folder: string): void {
  const relative = paths.map((path) => path.slice(1));
  const inFolder = ["-C", folder, ...readdirSync(folder)];
  const options = ["--dereference", "--hard-dereference", "--exclude", "*.a", "--exclude", "ri"];
  const made = Bun.spawnSync(["tar", ...options, "-C", "/", "-cf", file, ...relative, ...inFolder]);
  if (made.exitCode !== 0) throw new Error(`tar: ${made.stderr}`);
}
