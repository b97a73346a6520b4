#!/usr/bin/env python3
"""Carries out a Dockerfile's steps without a container engine, in a Debian made by debootstrap; as root.

    tools/image.py build CONTEXT TAG [--file Dockerfile] [--target STAGE] [--build-arg K=V] [--build-context STAGE=FOLDER]    → build/image/TAG
    tools/image.py size TAG                                                                  → MB beyond the base, unpacked
    tools/image.py run TAG [--volume HERE:THERE] [--env K=V] [-- COMMAND …]                    → as its USER, the system read-only

FROM (stages, `AS`), ARG, ENV, RUN (`--mount=type=cache`), COPY (`--from`, `--chown`, .dockerignore), USER, WORKDIR, CMD, ENTRYPOINT and
HEALTHCHECK are carried out; EXPOSE and LABEL change nothing; any other instruction is refused. What a container engine lends a step, and takes
back, is lent here: resolv.conf, this machine's certificates and apt's settings. Cache mounts lie in ALCOVE_IMAGE_CACHE, else build/image/cache.
"""

import argparse
import contextlib
import fnmatch
import glob
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "build/image"
SUITES = {"debian:13-slim": "trixie", "debian:12-slim": "bookworm"}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
LENT = "/run/lent.crt"  # outside the folder that the package ca-certificates writes into


class Refused(Exception):
    """A line that cannot be carried out, or a step that failed."""


# ---- reading


@dataclass
class Instruction:
    line: int
    word: str
    flags: dict[str, list[str]]
    rest: str


def parse(text: str) -> list[Instruction]:
    instructions, pending, start = [], "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (not line.strip() and not pending):
            continue
        start = start if pending else number
        if line.rstrip().endswith("\\"):
            pending += line.rstrip()[:-1] + " "
            continue
        word, _, rest = (pending + line).strip().partition(" ")
        pending, flags, rest = "", {}, rest.strip()
        while match := re.match(r"--([a-z-]+)=(\S+)\s+", rest):
            flags.setdefault(match[1], []).append(match[2])
            rest = rest[match.end():]
        instructions.append(Instruction(start, word.upper(), flags, rest))
    return instructions


def expand(text: str, values: dict[str, str]) -> str:
    """$NAME, ${NAME} and ${NAME:-else}, as all instructions but RUN, CMD and the like have them."""
    return re.sub(r"\$(?:(\w+)|\{(\w+)(?::-([^}]*))?\})", lambda m: values.get(m[1] or m[2]) or m[3] or "", text)


def command_of(text: str) -> list[str]:
    """JSON's form, or a line for the shell."""
    with contextlib.suppress(ValueError):
        words = json.loads(text)
        if isinstance(words, list):
            return words
    return ["/bin/sh", "-c", text]


class Ignored:
    """A .dockerignore: the last line that matches decides."""

    def __init__(self, context: Path, dockerfile: Path):
        own = dockerfile.with_name(dockerfile.name + ".dockerignore")
        file = own if own.exists() else context / ".dockerignore"
        lines = [line.strip() for line in file.read_text().splitlines()] if file.exists() else []
        self.rules = [(line.lstrip("!").strip("/"), line.startswith("!")) for line in lines if line and not line.startswith("#")]

    def __call__(self, path: str) -> bool:
        ignored = False
        for pattern, keeps in self.rules:
            bare = pattern.removeprefix("**/")
            names = [path] if bare == pattern else ["/".join(path.split("/")[i:]) for i in range(path.count("/") + 1)]
            if any(fnmatch.fnmatch(name, bare) or fnmatch.fnmatch(name, bare + "/*") for name in names):
                ignored = not keeps
        return ignored


# ---- one stage


@dataclass
class Stage:
    root: Path
    base: str
    env: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    arguments: dict[str, str] = field(default_factory=dict)
    user: str = "0"
    folder: str = "/"
    command: list[str] = field(default_factory=list)
    entry: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    steps: tuple[str, ...] | None = None  # since the image it is FROM; none once something of the context is in it

    def settings(self) -> dict:
        return {key: value for key, value in vars(self).items() if key not in ("root", "arguments", "steps")}


def copy_root(source: Path, target: Path) -> None:
    if target.exists():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(target)], check=True)


def base_root(image: str) -> Path:
    if image not in SUITES:
        raise Refused(f"FROM {image}: only {', '.join(SUITES)} and stages of the same file are known here")
    root = HOME / f"base-{SUITES[image]}"
    if root.exists():
        return root
    listed = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian"], capture_output=True, text=True).stdout
    mirror = listed.split()[:1] or ["http://deb.debian.org/debian"]
    partial = root.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    print(f"debootstrap {SUITES[image]} …", flush=True)
    subprocess.run(["debootstrap", "--variant=minbase", SUITES[image], str(partial), *mirror], check=True, stdout=subprocess.DEVNULL)
    # As in Debian's own images: no lists of packages, and those that are installed leave no archive behind.
    (partial / "etc/apt/apt.conf.d/docker-clean").write_text('DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };\n'
                                                             'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";\n')
    for folder in ("var/cache/apt/archives", "var/lib/apt/lists"):
        shutil.rmtree(partial / folder)
        (partial / folder / "partial").mkdir(parents=True)
    partial.rename(root)
    return root


def mounts(root: Path, binds: dict[str, str], read_only: bool) -> str:
    """What the shell of a new mount namespace does before the step."""
    at = shlex.quote(str(root))
    lines = ["set -e", "mount --make-rprivate /", f"mount --bind {at} {at}"]
    for there, here in binds.items():
        lines.append(f"mount --bind {shlex.quote(here)} {at}{shlex.quote(there)}")
    lines += [f"mount -t proc proc {at}/proc", f"mount -t sysfs -o ro sysfs {at}/sys", f"mount --rbind /dev {at}/dev"]
    if read_only:
        writable = [there for there in binds if there not in ("/etc/resolv.conf", "/etc/hosts")]
        lines += [f"mount -o remount,ro,bind {at}", f"mount -t tmpfs tmpfs {at}/tmp"]
        lines += [f"mount -o remount,rw,bind {at}{shlex.quote(there)}" for there in writable]
    return "\n".join(lines)


def enter(root: Path, command: list[str], env: dict[str, str], user: str = "0", folder: str = "/", binds: dict[str, str] | None = None, read_only: bool = False) -> list[str]:
    """The command line that runs `command` inside `root`, in namespaces of its own: mounts, processes and names."""
    binds = {"/etc/resolv.conf": "/etc/resolv.conf", "/etc/hosts": "/etc/hosts", **(binds or {})}
    for there, here in binds.items():  # something has to be there to mount upon
        place = Path(str(root) + there)
        if Path(here).is_dir():
            place.mkdir(parents=True, exist_ok=True)
        elif not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
    number = user_number(root, user)
    # The group a user belongs to is the user's number in the images here.
    inner = ["chroot", f"--userspec={number}:{number}", str(root), "/usr/bin/env", "-i", *(f"{key}={value}" for key, value in env.items()),
             "/bin/sh", "-c", 'cd "$0" && exec "$@"', folder, *command]
    script = mounts(root, binds, read_only) + "\nexec " + shlex.join(inner)
    return ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child=SIGTERM", "/bin/sh", "-c", script]


def user_number(root: Path, user: str) -> str:
    name = user.split(":")[0]
    if name.isdigit():
        return name
    for line in (root / "etc/passwd").read_text().splitlines():
        if line.split(":")[0] == name:
            return line.split(":")[2]
    raise Refused(f"USER {user}: the image has no such user")


@contextlib.contextmanager
def lent(root: Path):
    """This machine's way to packages, while a step runs."""
    settings = root / "etc/apt/apt.conf.d/00lent"
    lines = [f'Acquire::https::CAInfo "{LENT}";']
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True).stdout
    lines += [line for line in dump.splitlines() if re.match(r"Acquire::(https?::Proxy|Check-)", line)]
    settings.write_text("\n".join(lines) + "\n")
    try:
        yield {name: LENT for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO")} | \
            {key: value for key, value in os.environ.items() if key.lower() in ("http_proxy", "https_proxy", "no_proxy")}
    finally:
        settings.unlink(missing_ok=True)
        (root / LENT[1:]).unlink(missing_ok=True)


def own(path: Path, number: int) -> None:
    if os.geteuid() == 0:  # else only the tests are here
        os.lchown(path, number, number)


# ---- the instructions

LAYERS: set[Path] = set()  # made since this program began, so that none is ever old


class Build:
    def __init__(self, context: Path, file: Path, tag: str, arguments: dict[str, str], contexts: dict[str, Path] | None = None):
        self.context, self.file, self.tag, self.given = context, file, tag, arguments
        self.contexts = contexts or {}  # folders in the place of stages
        self.stages: dict[str, Stage] = {}
        self.ignored = Ignored(context, file)
        self.globals: dict[str, str] = {}

    def carry_out(self, target: str) -> Stage:
        instructions = parse(self.file.read_text())
        stage, replaced = None, False
        for one in instructions:
            if one.word == "FROM":
                if stage and target and target in self.stages:
                    break
                replaced = one.rest.split()[-1] in self.contexts
                stage = None if replaced else self.begin(one)
                continue
            if replaced:
                continue
            if stage is None and one.word != "ARG":
                raise Refused(f"line {one.line}: {one.word} stands before FROM")
            action = getattr(self, "do_" + one.word.lower(), None)
            if action is None:
                raise Refused(f"line {one.line}: {one.word} is not known here")
            print(f"  {one.word} {one.rest[:110]}", flush=True)
            action(stage, one)
            if stage and stage.steps:
                stage.steps = None if one.word == "COPY" else (*stage.steps, f"{one.word} {one.rest}")
        if stage is None or (target and target not in self.stages):
            raise Refused(f"{self.file} has no stage {target}")
        return self.stages[target] if target else stage

    def begin(self, one: Instruction) -> Stage:
        words = one.rest.split()
        source, name = expand(words[0], self.globals), words[2] if len(words) == 3 else f"stage{len(self.stages)}"
        print(f"FROM {one.rest}", flush=True)
        root = HOME / "work" / self.tag / name
        if source in self.stages:
            before = self.stages[source]
            copy_root(before.root, root)
            stage = Stage(root, before.base, dict(before.env), {}, before.user, before.folder, before.command, before.entry, before.health)
        else:
            copy_root(base_root(source), root)
            stage = Stage(root, source, steps=(source,))
        self.stages[name] = stage
        return stage

    def values(self, stage: Stage) -> dict[str, str]:
        return {**stage.arguments, **stage.env}

    def do_arg(self, stage: Stage | None, one: Instruction) -> None:
        name, _, default = one.rest.partition("=")
        value = self.given.get(name, default.strip("\"'") or self.globals.get(name, ""))
        (stage.arguments if stage else self.globals)[name] = value

    def do_env(self, stage: Stage, one: Instruction) -> None:
        for pair in shlex.split(one.rest):
            name, _, value = pair.partition("=")
            stage.env[name] = expand(value, self.values(stage))

    def do_user(self, stage: Stage, one: Instruction) -> None:
        stage.user = expand(one.rest, self.values(stage))

    def do_workdir(self, stage: Stage, one: Instruction) -> None:
        stage.folder = os.path.join(stage.folder, expand(one.rest, self.values(stage)))
        Path(str(stage.root) + stage.folder).mkdir(parents=True, exist_ok=True)

    def do_cmd(self, stage: Stage, one: Instruction) -> None:
        stage.command = command_of(one.rest)

    def do_entrypoint(self, stage: Stage, one: Instruction) -> None:
        stage.entry = command_of(one.rest)

    def do_healthcheck(self, stage: Stage, one: Instruction) -> None:
        stage.health = command_of(one.rest.removeprefix("CMD").strip())

    def do_expose(self, stage: Stage, one: Instruction) -> None:
        pass

    do_label = do_expose

    def do_run(self, stage: Stage, one: Instruction) -> None:
        """What begins like a stage that was made before is copied from it, where nothing but its own lines went into it."""
        known = repr((stage.steps, one.rest, stage.arguments)) if stage.steps else ""
        layer = HOME / "layers" / hashlib.sha256(known.encode()).hexdigest()[:16]
        if layer in LAYERS:
            return copy_root(layer, stage.root)
        self.run(stage, one)
        if known:
            copy_root(stage.root, layer)
            LAYERS.add(layer)

    def run(self, stage: Stage, one: Instruction) -> None:
        binds = {LENT: CERTIFICATES}
        for mount in one.flags.get("mount", []):
            options = dict(part.split("=", 1) for part in mount.split(","))
            if options.get("type") != "cache":
                raise Refused(f"line {one.line}: --mount={mount}: only cache mounts are known here")
            folder = Path(os.environ.get("ALCOVE_IMAGE_CACHE", HOME / "cache")) / options["target"].strip("/").replace("/", "-")
            folder.mkdir(parents=True, exist_ok=True)
            binds[options["target"]] = str(folder)
        with lent(stage.root) as lent_env:
            env = {"HOME": "/root", **lent_env, **stage.arguments, **stage.env, "DEBIAN_FRONTEND": "noninteractive"}
            done = subprocess.run(enter(stage.root, command_of(one.rest), env, stage.user, stage.folder, binds))
        if done.returncode != 0:
            raise Refused(f"line {one.line}: RUN ended with {done.returncode}: {one.rest[:200]}")

    def do_copy(self, stage: Stage, one: Instruction) -> None:
        *sources, target = shlex.split(expand(one.rest, self.values(stage)))
        source_stage = one.flags.get("from", [""])[0]
        start = self.contexts.get(source_stage) or (self.stages[source_stage].root if source_stage else self.context)
        into = Path(str(stage.root) + os.path.join(stage.folder, target))
        owner = user_number(stage.root, one.flags.get("chown", ["0"])[0])
        found = 0
        for pattern in sources:
            for source in sorted(glob.glob(str(start) + "/" + pattern.strip("/"))) or ([str(start)] if pattern in (".", "./") else []):
                found += 1
                self.copy(Path(source), into, start, target.endswith("/") or len(sources) > 1, int(owner))
        if not found and not any("[" in pattern for pattern in sources):
            raise Refused(f"line {one.line}: COPY {one.rest}: there is nothing of that name")

    def copy(self, source: Path, into: Path, start: Path, is_folder: bool, owner: int) -> None:
        """A folder's content, or a file; owned by `owner`, as COPY has it."""
        pairs = [(source, into / source.name if is_folder else into)]
        if source.is_dir():
            into.mkdir(parents=True, exist_ok=True)
            own(into, owner)
            pairs = [(path, into / path.relative_to(source)) for path in sorted(source.rglob("*"))]
        for path, place in pairs:
            if start == self.context and self.ignored(str(path.relative_to(start))):
                continue
            if path.is_dir() and not path.is_symlink():
                place.mkdir(parents=True, exist_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, place, follow_symlinks=False)
            own(place, owner)


def build(context: Path, tag: str, file: Path | None = None, target: str = "", arguments: dict[str, str] | None = None,
          contexts: dict[str, Path] | None = None) -> Path:
    """The image's root; its settings lie beside it, as TAG.json."""
    if os.geteuid() != 0:
        raise Refused("needs root: it mounts and changes root")
    stage = Build(context.resolve(), file or context / "Dockerfile", tag, arguments or {}, contexts).carry_out(target)
    root = HOME / tag
    shutil.rmtree(root, ignore_errors=True)
    stage.root.rename(root)
    shutil.rmtree(HOME / "work" / tag)
    (HOME / f"{tag}.json").write_text(json.dumps(stage.settings(), indent=1))
    return root


def megabytes(root: Path) -> float:
    return int(subprocess.run(["du", "-sxk", str(root)], check=True, capture_output=True, text=True).stdout.split()[0]) * 1024 / 1e6


def beyond_base(tag: str) -> float:
    return megabytes(HOME / tag) - megabytes(base_root(json.loads((HOME / f"{tag}.json").read_text())["base"]))


def start_line(tag: str, volumes: dict[str, str] | None = None, env: dict[str, str] | None = None, command: list[str] | None = None) -> list[str]:
    """The command line that runs an image's CMD, or `command`, as its user, with nothing to write to but /tmp and the volumes."""
    made = json.loads((HOME / f"{tag}.json").read_text())
    return enter(HOME / tag, command or made["entry"] + made["command"], {**made["env"], **(env or {})}, made["user"], made["folder"], volumes, read_only=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    making = kinds.add_parser("build")
    making.add_argument("context", type=Path)
    making.add_argument("tag")
    making.add_argument("--file", type=Path)
    making.add_argument("--target", default="")
    making.add_argument("--build-arg", action="append", default=[])
    making.add_argument("--build-context", action="append", default=[], help="a folder that takes a stage's place")
    kinds.add_parser("size").add_argument("tag")
    running = kinds.add_parser("run")
    running.add_argument("tag")
    running.add_argument("--volume", action="append", default=[])
    running.add_argument("--env", action="append", default=[])
    running.add_argument("command", nargs="*")
    given = parser.parse_args()
    pairs = lambda texts, sign: dict(text.split(sign, 1) for text in texts)
    try:
        if given.kind == "build":
            build(given.context, given.tag, given.file, given.target, pairs(given.build_arg, "="),
                  {name: Path(folder) for name, folder in pairs(given.build_context, "=").items()})
        if given.kind != "run":
            print(f"{given.tag}: {beyond_base(given.tag):.0f} MB beyond its base")
        else:
            volumes = {there: here for here, there in pairs(given.volume, ":").items()}
            line = start_line(given.tag, volumes, pairs(given.env, "="), given.command)
            os.execvp(line[0], line)
    except Refused as refused:
        sys.exit(f"tools/image.py: {refused}")


if __name__ == "__main__":
    main()
