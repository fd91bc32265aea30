/** What must be true of a tree before it may be called a release; nothing here looks at the world. */

/** The tree as it is found. */
export type Facts = {
  /** Of package.json, which everything else must agree with. */
  readonly version: string;
  readonly gemVersion: string;
  readonly changelog: string;
  /** Every tag of the repository. */
  readonly tags: readonly string[];
  /** Those of the commit that is to be released. */
  readonly tagsHere: readonly string[];
  /** What `git status` lists. */
  readonly changedFiles: readonly string[];
};

const versionPattern = /^(\d+)\.(\d+)\.(\d+)$/;

/** @returns what stands in the way, each with what to do; nothing: it can be released */
export function findObstacles(facts: Facts): readonly string[] {
  return [...checkTree(facts), ...checkVersions(facts), ...checkChangelog(facts), ...checkTags(facts)];
}

function checkTree({ changedFiles }: Facts): readonly string[] {
  if (changedFiles.length === 0) return [];
  const some = changedFiles.slice(0, 5).join(", ");
  return [`${changedFiles.length} files are not committed (${some}): commit them, or take them away`];
}

function checkVersions({ version, gemVersion }: Facts): readonly string[] {
  if (!versionPattern.test(version)) {
    return [`the version in package.json is ${version}; it has to be MAJOR.MINOR.PATCH`];
  }
  if (gemVersion === version) return [];
  const file = "ruby/lib/kleinhirn_loader/version.rb";
  return [`package.json says ${version}, ${file} says ${gemVersion}: they have to be the same`];
}

function checkChangelog({ version, changelog }: Facts): readonly string[] {
  const sections = readSections(changelog);
  const own = sections.get(version);
  if (own === undefined) {
    return [`CHANGELOG.md has no section for ${version}: rename [Unreleased] to [${version}] - YYYY-MM-DD`];
  }
  const obstacles: string[] = [];
  if (own.date === undefined || !isDate(own.date)) {
    obstacles.push(`CHANGELOG.md: the section [${version}] needs its date, as [${version}] - YYYY-MM-DD`);
  }
  if (own.text === "") obstacles.push(`CHANGELOG.md: the section [${version}] is empty`);
  if ((sections.get("Unreleased")?.text ?? "") !== "") {
    obstacles.push(`CHANGELOG.md: what is under [Unreleased] would be released: move it to [${version}]`);
  }
  return obstacles;
}

type Section = { readonly date: string | undefined; readonly text: string };

function readSections(changelog: string): ReadonlyMap<string, Section> {
  const sections = changelog.split(/^## /m).slice(1);
  return new Map(
    sections.map((section) => {
      const [heading = "", ...lines] = section.split("\n");
      const [, name = heading, date] = /^\[([^\]]*)\](?: - (.*))?$/.exec(heading) ?? [];
      return [name, { date, text: lines.join("\n").trim() }];
    }),
  );
}

/** A day that there is, as ISO 8601 writes it. */
function isDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return (
    /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
  );
}

function checkTags({ version, tags, tagsHere }: Facts): readonly string[] {
  const tag = tagOf(version);
  if (tags.includes(tag) && !tagsHere.includes(tag)) {
    return [`the tag ${tag} is on another commit: ${version} has been released, take the next version`];
  }
  const newer = tags.filter((other) => compareVersions(other.replace(/^v/, ""), version) > 0);
  if (newer.length === 0) return [];
  return [`${newer.join(", ")} is newer than ${version}: take a version after it`];
}

export function tagOf(version: string): string {
  return `v${version}`;
}

/** Below, at or above zero; what is no version is below all that are. */
function compareVersions(left: string, right: string): number {
  const [leftParts, rightParts] = [versionPattern.exec(left), versionPattern.exec(right)];
  if (leftParts === null || rightParts === null) return leftParts === rightParts ? 0 : leftParts ? 1 : -1;
  for (let index = 1; index <= 3; index += 1) {
    const difference = Number(leftParts[index]) - Number(rightParts[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}
