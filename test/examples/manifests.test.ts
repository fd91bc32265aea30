/** The examples for orchestrators: valid by the orchestrators' own rules, and in agreement with themselves. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Deployment } from "kubernetes-types/apps/v1";
import type { ConfigMap, Service } from "kubernetes-types/core/v1";
import type { PodDisruptionBudget } from "kubernetes-types/policy/v1";
import { repositoryRoot } from "../../script/lib/repository-files.ts";
import type { Config } from "../../src/config/config.ts";
import { loadSound } from "../config/loading.ts";
import { checkKubernetesTypes, type Manifest } from "./kubernetes-types.ts";

setDefaultTimeout(120_000);

const read = (path: string) => readFileSync(join(repositoryRoot, "examples", path), "utf8");

/** Loads what a container gets, on a machine with the application where the image has it. */
function loadForImage(toml: string): Config {
  return loadSound(toml, {
    files: { "/app/Gemfile": "", "/app/config.ru": "" },
    programs: ["/usr/local/bin/ruby"],
  });
}

/** @param graceSeconds what the orchestrator gives before it kills. */
function expectTimeToStop({ supervisor, sets }: Config, graceSeconds: number): void {
  const { drainDelayMs, shutdownTimeoutMs } = supervisor;
  for (const { stopTimeoutMs } of sets) {
    expect(drainDelayMs + stopTimeoutMs).toBeLessThan(shutdownTimeoutMs);
  }
  expect(shutdownTimeoutMs + 1000).toBeLessThan(graceSeconds * 1000);
}

/** From the start of the container to its first ready worker, at the longest. */
function longestStartSeconds({ sets }: Config): number {
  const times = sets.map(({ command, ackTimeoutMs = 0 }) => {
    if (command.type !== "ruby") throw new Error("the examples are Ruby's");
    return command.loadTimeoutMs + ackTimeoutMs;
  });
  return Math.max(...times) / 1000;
}

describe("Kubernetes", () => {
  // Reason for the cast: the compiler checks them against their types in the first test.
  const objects = Bun.YAML.parse(read("kubernetes/shop.yaml")) as [
    ConfigMap & Manifest,
    Deployment & Manifest,
    Service & Manifest,
    PodDisruptionBudget & Manifest,
  ];
  const [configMap, deployment, service, budget] = objects;
  const pod = deployment.spec?.template.spec;
  const [container] = pod?.containers ?? [];
  const config = loadForImage(configMap.data?.["kleinhirn.toml"] ?? "");

  const spoiled: readonly (readonly [name: string, from: string, to: string])[] = [
    ["a misspelt field", "readinessProbe:", "readynessProbe:"],
    ["a field in the wrong place", "runAsNonRoot:", "readOnlyRootFilesystem:"],
    ["a wrong type", "periodSeconds: 2", 'periodSeconds: "2s"'],
    ["a missing field", "containerPort: 3000", ""],
  ];

  test("the manifests are what the API's own description asks for, and what isn't would be seen", () => {
    expect(objects.map(({ kind }) => kind)).toEqual([
      "ConfigMap",
      "Deployment",
      "Service",
      "PodDisruptionBudget",
    ]);
    const text = read("kubernetes/shop.yaml");
    // Reason for the cast: the compiler is about to look.
    const parse = (yaml: string) => Bun.YAML.parse(yaml) as Manifest[];
    const complaints = checkKubernetesTypes(
      new Map([
        ["as it is", parse(text)],
        ...spoiled.map(([name, from, to]) => [name, parse(text.replace(from, to))] as const),
      ]),
    );
    expect(complaints.get("as it is")).toEqual([]);
    for (const [name] of spoiled) expect([name, complaints.get(name)?.length ?? 0]).not.toEqual([name, 0]);
  });

  test("the probes ask where kleinhirn listens, for what each is meant for", () => {
    const ports = Object.fromEntries((container?.ports ?? []).map((port) => [port.name, port.containerPort]));
    const { startupProbe, livenessProbe, readinessProbe } = container ?? {};
    for (const probe of [startupProbe, livenessProbe, readinessProbe])
      expect(probe?.httpGet?.port).toBe("health");
    expect(config.healthCheck?.listen).toMatchObject({ port: ports.health });
    expect(startupProbe?.httpGet?.path).toBe(config.healthCheck?.endpoint);
    expect(livenessProbe?.httpGet?.path).toBe("/livez");
    expect(readinessProbe?.httpGet?.path).toBe("/readyz");
    expect(service.spec?.ports?.[0]?.targetPort).toBe("http");
  });

  test("the startup probe waits as long as loading and the first ack may take", () => {
    const { periodSeconds = 0, failureThreshold = 0 } = container?.startupProbe ?? {};
    expect(periodSeconds * failureThreshold).toBeGreaterThanOrEqual(longestStartSeconds(config));
  });

  test("kleinhirn has stopped before the grace period ends, and has drained before it stops", () => {
    expectTimeToStop(config, pod?.terminationGracePeriodSeconds ?? 0);
    const { periodSeconds = 0, timeoutSeconds = 0, failureThreshold = 0 } = container?.readinessProbe ?? {};
    const seenAfter = (periodSeconds + timeoutSeconds) * failureThreshold;
    expect(config.supervisor.drainDelayMs).toBeGreaterThan(seenAfter * 1000);
  });

  test("every selector selects the pods of the Deployment", () => {
    const labels = deployment.spec?.template.metadata?.labels;
    expect(deployment.spec?.selector.matchLabels).toEqual(labels ?? {});
    expect(service.spec?.selector).toEqual(labels ?? {});
    expect(budget.spec?.selector?.matchLabels).toEqual(labels ?? {});
    const volumes = pod?.volumes?.map(({ name }) => name);
    expect(container?.volumeMounts?.map(({ name }) => name)).toEqual(volumes ?? []);
  });
});

describe("Docker Compose", () => {
  // Reason for the cast: what is missing in it fails the tests below.
  const { services } = Bun.YAML.parse(read("compose/compose.yaml")) as {
    services: {
      shop: {
        stop_grace_period: string;
        healthcheck: { test: string[]; start_period: string };
        read_only: boolean;
      };
    };
  };
  const config = loadForImage(read("compose/kleinhirn.toml"));

  test("kleinhirn has stopped before the grace period ends, and ends when it can't go on", () => {
    expectTimeToStop(config, Number.parseInt(services.shop.stop_grace_period, 10));
    expect(config.supervisor.onFault).toBe("exit");
    expect(services.shop.read_only).toBe(true);
  });
});

describe("Nomad", () => {
  const job = read("nomad/shop.nomad.hcl");
  const config = loadForImage(/<<-TOML\n([\s\S]*?)\n\s*TOML\n/.exec(job)?.[1] ?? "");
  const secondsOf = (key: string) => Number(new RegExp(`^\\s*${key}\\s*= "(\\d+)s"`, "m").exec(job)?.[1]);

  test("kleinhirn has stopped before the kill timeout ends", () => {
    expectTimeToStop(config, secondsOf("kill_timeout"));
    expect(secondsOf("shutdown_delay")).toBeGreaterThan(secondsOf("interval") + secondsOf("timeout"));
  });

  test("the checks ask where kleinhirn listens", () => {
    expect(config.healthCheck?.listen).toMatchObject({ port: 3000 });
    expect(job).toContain('port "health" { to = 3000 }');
    expect([...job.matchAll(/path\s+= "(.*)"/g)].map(([, path]) => path)).toEqual(["/readyz", "/livez"]);
  });
});

describe("systemd", () => {
  test.skipIf(Bun.which("systemd-analyze") === null)("the units are valid for systemd", () => {
    const folder = mkdtempSync(join(tmpdir(), "kleinhirn-units-"));
    try {
      // The program must be there for systemd's check, and needn't be on this machine.
      const service = read("systemd/shop.service").replace("/usr/local/bin/kleinhirn", "/bin/true");
      writeFileSync(join(folder, "shop.service"), service);
      writeFileSync(join(folder, "shop.socket"), read("systemd/shop.socket"));
      const command = [
        "systemd-analyze",
        "verify",
        join(folder, "shop.service"),
        join(folder, "shop.socket"),
      ];
      const { exitCode, stderr } = Bun.spawnSync(command);
      // An unknown key is only a warning for systemd.
      expect({ exitCode, said: stderr.toString() }).toEqual({ exitCode: 0, said: "" });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
