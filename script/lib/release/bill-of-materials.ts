/** The software bill of materials (SBOM) of a release, in the CycloneDX format: what is in the artefacts, and of whom. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Enums, Models, Serialize, SPDX, Spec, Validation } from "@cyclonedx/cyclonedx-library";
import manifest from "../../../package.json";
import { repositoryRoot } from "../repository-files.ts";

const { Component, ComponentRepository } = Models;

/** The newest version of the format that tools understand widely. */
const specification = Spec.Spec1dot6;

/**
 * @param when the commit's time, so that the same commit has the same bill
 * @throws Error when the bill is not valid by the format's own schema, which would be a mistake here
 */
export async function writeBill(when: Date): Promise<string> {
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(specification));
  const text = serializer.serialize(composeBill(when), { sortLists: true, space: 2 });
  const error = await new Validation.JsonStrictValidator(specification.version).validate(text);
  if (error !== null) throw new Error(`the bill of materials is not valid: ${JSON.stringify(error)}`);
  return `${text}\n`;
}

function composeBill(when: Date): Models.Bom {
  const program = component(
    Enums.ComponentType.Application,
    manifest,
    `pkg:npm/kleinhirn@${manifest.version}`,
  );
  const parts = [...listPackages(), runtime(), gem()];
  for (const part of parts) program.dependencies.add(part.bomRef);
  return new Models.Bom({
    metadata: new Models.Metadata({ component: program, timestamp: when }),
    components: new ComponentRepository(parts),
  });
}

type Described = {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly description?: string;
};

function component(type: Enums.ComponentType, described: Described, purl: string): Models.Component {
  const { name, version, license, description } = described;
  const made = new Component(type, name, {
    version,
    bomRef: purl,
    purl,
    ...(description && { description }),
  });
  if (license !== undefined) made.licenses.add(licenseOf(license));
  return made;
}

function licenseOf(name: string): Models.SpdxLicense | Models.NamedLicense {
  return SPDX.isSupportedSpdxId(name) ? new Models.SpdxLicense(name) : new Models.NamedLicense(name);
}

/** The dependencies, with the hashes that bun.lock has; they have none of their own, which a test holds. */
function listPackages(): readonly Models.Component[] {
  const lock = readFileSync(join(repositoryRoot, "bun.lock"), "utf8");
  return Object.entries(manifest.dependencies).map(([name, version]) => {
    const described = readPackage(name);
    if (described.version !== version) {
      throw new Error(
        `node_modules has ${name} ${described.version}, package.json ${version}: run script/setup`,
      );
    }
    const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
    const made = component(Enums.ComponentType.Library, described, purl);
    made.hashes.set(Enums.HashAlgorithm["SHA-512"], integrityOf(lock, name, version));
    return made;
  });
}

/** Reason for what is not checked: a field that is missing or odd makes the bill invalid, and that is checked. */
function readPackage(name: string): Described {
  return JSON.parse(readFileSync(join(repositoryRoot, "node_modules", name, "package.json"), "utf8"));
}

/** Subresource integrity is base64, CycloneDX's hashes are hexadecimal. */
function integrityOf(lock: string, name: string, version: string): string {
  const line = lock.split("\n").find((text) => text.includes(`["${name}@${version}"`));
  const found = /"sha512-([\w+/=]+)"/.exec(line ?? "")?.[1];
  if (found === undefined) throw new Error(`bun.lock has no sha512 of ${name}@${version}`);
  return Buffer.from(found, "base64").toString("hex");
}

/** The binaries carry it; dist/kleinhirn.js and the npm package run on it. */
function runtime(): Models.Component {
  const version = readFileSync(join(repositoryRoot, ".bun-version"), "utf8").trim();
  const described = { name: "bun", version, license: "MIT", description: "The JavaScript runtime" };
  return component(Enums.ComponentType.Platform, described, `pkg:npm/bun@${version}`);
}

/** Ours as well, but published by itself. */
function gem(): Models.Component {
  const { version, license } = manifest;
  const described = { name: "kleinhirn_loader", version, license, description: "The Ruby side of kleinhirn" };
  return component(Enums.ComponentType.Library, described, `pkg:gem/kleinhirn_loader@${version}`);
}
