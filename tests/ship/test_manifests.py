"""What deploy/ holds for clusters and small hosts: sound by the published schemas, and of one mind with the program."""

import re
import shutil
import subprocess

import kubernetes_validate
import pytest
import yaml

from conftest import ROOT

KUBERNETES = ROOT / "deploy/kubernetes"
VERSION = "1.31"  # the oldest that is still common


def documents() -> list[dict]:
    paths = [path for path in sorted(KUBERNETES.glob("*.yaml")) if path.name != "kustomization.yaml"]
    return [one for path in paths for one in yaml.safe_load_all(path.read_text())]


def of_kind(kind: str) -> dict[str, dict]:
    return {one["metadata"]["name"]: one for one in documents() if one["kind"] == kind}


def knative() -> dict:
    return yaml.safe_load((KUBERNETES / "knative/answer-sheet.yaml").read_text())


def pods() -> dict[str, dict]:
    return {name: one["spec"]["template"]["spec"] for name, one in of_kind("Deployment").items()} | {"knative": knative()["spec"]["template"]["spec"]}


@pytest.mark.parametrize("one", documents(), ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_it_fits_the_published_schema(one):
    kubernetes_validate.validate(one, VERSION, strict=True)


def test_the_schemas_do_refuse():
    wrong = of_kind("Deployment")["worker"] | {"spec": {"replica": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSION, strict=True)


def test_knative_runs_a_pod_that_fits_too():
    spec = dict(knative()["spec"]["template"]["spec"])
    assert spec.pop("containerConcurrency") == 34 and spec.pop("timeoutSeconds") == 120  # Knative's own
    kubernetes_validate.validate({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec}, VERSION, strict=True)


def test_every_file_is_listed_and_every_name_is_there():
    kustomization = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
    assert set(kustomization["resources"]) == {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}
    deployments = of_kind("Deployment")
    assert {container["image"] for one in deployments.values() for container in one["spec"]["template"]["spec"]["containers"]} == {one["name"] for one in kustomization["images"]}
    for name, one in deployments.items():
        assert one["spec"]["selector"]["matchLabels"] == one["spec"]["template"]["metadata"]["labels"] == {"app": name}
    for one in [*of_kind("Service").values()]:
        assert one["spec"]["selector"]["app"] in deployments
    for one in of_kind("PodDisruptionBudget").values():
        assert one["spec"]["selector"]["matchLabels"]["app"] in deployments
    for one in of_kind("HorizontalPodAutoscaler").values():
        assert one["spec"]["scaleTargetRef"]["name"] in deployments
        assert "replicas" not in deployments[one["spec"]["scaleTargetRef"]["name"]]["spec"] or one["metadata"]["name"] == "gateway"
    secret, settings = of_kind("Secret")["alcove"]["stringData"], of_kind("ConfigMap")["alcove"]["data"]
    for pod in pods().values():
        for variable in pod["containers"][0].get("env", []):
            reference = variable.get("valueFrom", {}).get("secretKeyRef")
            assert not reference or reference["key"] in secret
    assert settings["HF_SPACE_URL"] == f"http://answer-sheet:{of_kind('Service')['answer-sheet']['spec']['ports'][0]['port']}"


def with_chroma() -> dict:
    """The paper finder's deployment as the component makes it: its container's variables are added."""
    chroma = KUBERNETES / "chroma"
    added = yaml.safe_load((chroma / "paper-finder.yaml").read_text())
    made = of_kind("Deployment")[added["metadata"]["name"]]
    [mine], [theirs] = (one["spec"]["template"]["spec"]["containers"] for one in (made, added))
    assert set(theirs) == {"name", "env"} and mine["name"] == theirs["name"] and not set(added["spec"]["template"]["spec"]) - {"containers"}
    mine["env"] = mine.get("env", []) + theirs["env"]
    return made


def test_chroma_is_a_component_of_it():
    component = yaml.safe_load((KUBERNETES / "chroma/kustomization.yaml").read_text())
    assert component["kind"] == "Component" and "\n# components: [chroma] " in (KUBERNETES / "kustomization.yaml").read_text()
    assert {patch["path"] for patch in component["patches"]} == {path.name for path in (KUBERNETES / "chroma").iterdir()} - {"kustomization.yaml"}
    kubernetes_validate.validate(with_chroma(), VERSION, strict=True)
    secret = yaml.safe_load((KUBERNETES / "chroma/settings.yaml").read_text())
    kubernetes_validate.validate(secret, VERSION, strict=True)
    keys = {variable["valueFrom"]["secretKeyRef"]["key"] for variable in with_chroma()["spec"]["template"]["spec"]["containers"][0]["env"] if "valueFrom" in variable}
    assert secret["metadata"]["name"] in of_kind("Secret") and keys == set(secret["stringData"])


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not here")
@pytest.mark.parametrize("components", [False, True], ids=["plain", "with Chroma"])
def test_kustomize_makes_what_fits(tmp_path, components):
    shutil.copytree(KUBERNETES, tmp_path / "k")
    file = tmp_path / "k/kustomization.yaml"
    if components:
        file.write_text(file.read_text().replace("# components:", "components:"))
    made = list(yaml.safe_load_all(subprocess.run(["kubectl", "kustomize", str(file.parent)], capture_output=True, text=True, check=True).stdout))
    assert len(made) == len(documents())
    for one in made:
        kubernetes_validate.validate(one, VERSION, strict=True)
    finder = next(one for one in made if one["kind"] == "Deployment" and one["metadata"]["name"] == "paper-finder")
    assert ("ALCOVE_STORE" in str(finder)) == components


@pytest.mark.parametrize("name", pods())
def test_pods_are_unprivileged_and_write_where_they_may(name):
    pod = pods()[name]
    box = pod["containers"][0]["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"] and pod["securityContext"]["runAsUser"] == 1000
    assert box["readOnlyRootFilesystem"] and not box["allowPrivilegeEscalation"] and box["capabilities"] == {"drop": ["ALL"]}


def test_what_is_asked_of_the_program_is_there(run):
    """Variables, probes and figures by their names: each has to be in the program's own help or text."""
    said = "".join(run(*words, "--help").stdout for words in (["gateway"], ["worker"], ["serve", "answer-sheet"], ["serve", "paper-finder"]))
    compose = yaml.safe_load((ROOT / "deploy/gateway/compose.yaml").read_text())
    render = yaml.safe_load((ROOT / "deploy/gateway/render.yaml").read_text())
    wanted = {key for service in compose["services"].values() if "build" in service for key in service.get("environment", {})}
    wanted |= {variable["key"] for variable in render["services"][0]["envVars"]}
    wanted |= {*of_kind("Secret")["alcove"]["stringData"], *of_kind("ConfigMap")["alcove"]["data"]}
    wanted |= {variable["name"] for pod in pods().values() for variable in pod["containers"][0].get("env", [])}
    wanted |= {variable["name"] for variable in with_chroma()["spec"]["template"]["spec"]["containers"][0]["env"]}
    wanted |= set(re.findall(r"(ALCOVE_\w+|PORT)=", (ROOT / "deploy/gateway/alcove-gateway.service").read_text()))
    assert {name for name in wanted if name not in said} == set()
    sources = "".join(path.read_text() for path in (ROOT / "src/api").glob("*_service.cpp"))
    metrics = [metric.get("external", metric.get("pods", {})).get("metric", {}).get("name") for one in of_kind("HorizontalPodAutoscaler").values() for metric in one["spec"]["metrics"]]
    probes = [probe["httpGet"]["path"] for pod in pods().values() for key, probe in pod["containers"][0].items() if key.endswith("Probe")]
    assert all(f'"{name}"' in sources for name in [*filter(None, metrics), *probes])


def test_compose_and_render_build_what_is_there():
    compose = yaml.safe_load((ROOT / "deploy/gateway/compose.yaml").read_text())
    stages = re.findall(r"^FROM \S+ AS (\S+)", (ROOT / "deploy/gateway/Dockerfile").read_text(), re.M)
    for service in compose["services"].values():
        if "build" in service:
            assert (ROOT / service["build"]["dockerfile"]).exists() and service["build"]["target"] in stages
            assert (ROOT / "deploy/gateway" / service["build"]["context"]).resolve() == ROOT
        assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= set(compose["volumes"])
    render = yaml.safe_load((ROOT / "deploy/gateway/render.yaml").read_text())["services"][0]
    assert (ROOT / render["dockerfilePath"]).exists()


def test_the_unit_is_sound():
    """By systemd's own reading, where it is installed; by its sections everywhere."""
    unit = ROOT / "deploy/gateway/alcove-gateway.service"
    lines = [line for line in unit.read_text().splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if line.startswith("[")] == ["[Unit]", "[Service]", "[Install]"]
    assert all(re.match(r"\[\w+\]$|[A-Z]\w+=", line) for line in lines)
    try:
        read = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True)
    except FileNotFoundError:
        return
    assert not [line for line in read.stderr.splitlines() if unit.name in line and "not executable" not in line], read.stderr


def test_the_release_workflow_runs_what_is_there(run):
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
    job = workflow["jobs"]["release"]
    assert job["container"] == "debian:12-slim" and workflow[True]["push"] == {"tags": ["v*"]}  # YAML takes `on` for a truth
    steps = "\n".join(step.get("run", "") for step in job["steps"])
    for word in re.findall(r"(?:script|samples|models)/[\w./-]+", steps):
        assert (ROOT / word).exists(), word
    version = re.search(r"VERSION (\S+) ", (ROOT / "CMakeLists.txt").read_text())[1]
    assert subprocess.run(["bash", "-c", next(step["run"] for step in job["steps"] if "grep -q" in step.get("run", ""))], cwd=ROOT, env={"GITHUB_REF_NAME": f"v{version}"}).returncode == 0
    for step in job["steps"]:
        assert subprocess.run(["bash", "-n", "-c", step.get("run", "")]).returncode == 0
    tried = [line.split("/alcove ")[1].split() for line in steps.splitlines() if "/elsewhere/alcove " in line]
    assert [words[0] for words in tried] == ["--version", "read"]
    for words in tried:
        assert run(*words).returncode == 0, "or the job ends there"
