"""The fake hub is taken for the Hub by the client that everybody uses."""

from hub.fake_hub import Fault, Hub


def test_reads_a_repository(hub: Hub, python):
    repo = hub.store.create("models", "alice/net")
    hub.store.put(repo, {"config.json": b"{}", "a b/c#d%é.txt": b"odd name", "model.bin": b"\1" * 5000, "empty": b""})
    hub.page = 2  # the listing comes in pages
    out = python(
        "from huggingface_hub import *; import os\n"
        "path = snapshot_download('alice/net')\n"
        "print(sorted(os.path.relpath(os.path.join(d, f), path) for d, _, fs in os.walk(path) for f in fs))\n"
        "print(open(hf_hub_download('alice/net', 'a b/c#d%é.txt')).read(), [f.path for f in HfApi().list_repo_tree('alice/net', 'a b')])\n"
        "print(HfApi().whoami()['name'], HfApi().model_info('alice/net', files_metadata=True).siblings[-1].size)\n")
    assert "['.gitattributes', 'a b/c#d%é.txt', 'config.json', 'empty', 'model.bin']" in out
    assert "odd name ['a b/c#d%é.txt']" in out
    assert "alice 5000" in out
    assert not [one for one in hub.requests if one.origin == "cdn" and "authorization" in one.headers]


def test_tells_what_is_wrong(hub: Hub, python):
    hub.store.create("models", "bob/secret", private=True)
    hub.store.create("models", "bob/gated", gated=True)
    out = python(
        "from huggingface_hub import *; from huggingface_hub.errors import *\n"
        "def tried(*a, **k):\n"
        "  try: hf_hub_download(*a, **k)\n"
        "  except Exception as e: print(type(e).__name__)\n"
        "tried('bob/secret', 'x'); tried('bob/none', 'x', token=False); tried('bob/gated', '.gitattributes')\n"
        "HfApi().create_repo('mine'); tried('alice/mine', 'x'); tried('alice/mine', '.gitattributes', revision='v9')\n"
        "try: HfApi().whoami(token='hf_wrong')\n"
        "except HfHubHTTPError as e: print(e.response.status_code)\n")
    names = out.split()
    assert names[0] == names[1] == "RepositoryNotFoundError"
    assert names[2:5] == ["GatedRepoError", "RemoteEntryNotFoundError", "RevisionNotFoundError"]
    assert names[5] == "401"


def test_takes_a_folder(hub: Hub, python, tmp_path):
    folder = tmp_path / "up"
    (folder / "sub").mkdir(parents=True)
    (folder / "README.md").write_text("---\nsdk: docker\n---\n")
    (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "sub/small.txt").write_text("x")
    (folder / "big.bin").write_bytes(b"\0" * 300_000)
    hub.part_size = 100_000
    out = python(
        "from huggingface_hub import *\n"
        "api = HfApi(); api.create_repo('s', repo_type='space', space_sdk='docker', space_secrets=[{'key':'K','value':'v'}])\n"
        "api.create_repo('alice/s', repo_type='space', space_sdk='docker', exist_ok=True)\n"
        f"a = api.upload_folder(repo_id='alice/s', repo_type='space', folder_path={str(folder)!r})\n"
        f"b = api.upload_folder(repo_id='alice/s', repo_type='space', folder_path={str(folder)!r})\n"
        "print(a.oid == b.oid, api.get_space_runtime('alice/s').stage)\n"
        "api.add_space_secret('alice/s', 'T', 'x'); api.add_space_variable('alice/s', 'V', '1'); api.delete_space_secret('alice/s', 'K')\n"
        "api.request_space_hardware('alice/s', 'cpu-upgrade'); api.set_space_sleep_time('alice/s', 600)\n"
        "print(api.get_space_variables('alice/s')['V'].value, api.pause_space('alice/s').stage, api.restart_space('alice/s').stage)\n"
        "api.delete_file('sub/small.txt', 'alice/s', repo_type='space'); print(api.list_repo_files('alice/s', repo_type='space'))\n")
    assert "True" in out and "1 PAUSED APP_STARTING" in out
    assert "['.gitattributes', 'Dockerfile', 'README.md', 'big.bin']" in out
    assert list(hub.space("alice/s").secrets) == ["T"]
    assert len(hub.seen("PUT .*partNumber")) == 3


def test_faults_reach_the_client(hub: Hub, python):
    repo = hub.store.create("models", "alice/net")
    hub.store.put(repo, {"model.bin": b"\1" * 50_000})
    hub.faults = [Fault("GET cdn", cut=20_000, times=1), Fault("HEAD hub .*resolve", status=503, times=1)]
    assert "50000" in python("from huggingface_hub import *; import os; print(os.path.getsize(hf_hub_download('alice/net', 'model.bin')))")
