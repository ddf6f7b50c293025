"""Releases in object stores: the rows of a folder, nothing but sentences when the store fails."""

from __future__ import annotations

import json
import socket
import threading
import uuid
from pathlib import Path

import pytest

fsspec = pytest.importorskip("fsspec")

from bioreason_bench.build import generate_to_store, merge
from bioreason_bench.config import load_preset
from bioreason_bench.errors import BioreasonError, ReleaseError, UsageError
from bioreason_bench.release.manifest import read_manifest
from bioreason_bench.scale import store as stores
from bioreason_bench.scale.shares import Shares


@pytest.fixture
def url() -> str:
    return f"memory://{uuid.uuid4().hex}/tiny"


def fetched(url: str, folder: Path) -> Path:
    files, root = fsspec.core.url_to_fs(url)
    for path in files.find(root):
        target = folder / path.removeprefix(root).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        files.get_file(path, str(target))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_release_in_a_store_is_that_of_a_folder_card_and_manifest_too(
    url, tiny_release, tmp_path
):
    generate_to_store(load_preset("tiny"), url)
    assert contents(fetched(url, tmp_path / "tiny")) == contents(tiny_release)
    with pytest.raises(UsageError, match=r"already holds a release"):
        generate_to_store(load_preset("tiny"), url)


def test_an_interrupted_run_goes_on_and_makes_only_what_is_missing(
    url, tiny_release, tmp_path, monkeypatch
):
    made, put = [], stores.Store.put

    def fails_at_ten(self, path, name):
        if len(made) == 10:
            raise BioreasonError("the connection dropped")
        made.append(name)
        put(self, path, name)

    monkeypatch.setattr(stores.Store, "put", fails_at_ten)
    with pytest.raises(BioreasonError, match=r"the connection dropped"):
        generate_to_store(load_preset("tiny"), url)
    assert stores.Store(url).read("manifest.json") is None
    monkeypatch.setattr(stores.Store, "put", lambda self, p, n: (made.append(n), put(self, p, n)))
    generate_to_store(load_preset("tiny"), url)
    data = [name for name in made if name.startswith("data/")]
    assert len(data) == len(set(data)) == len(read_manifest(tiny_release)["files"])
    assert contents(fetched(url, tmp_path / "tiny")) == contents(tiny_release)


def test_a_torn_upload_is_made_again(url, tiny_release, tmp_path):
    generate_to_store(load_preset("tiny"), url, shares=Shares(0, 1, 2))
    files, root = fsspec.core.url_to_fs(url)
    some = sorted(files.find(f"{root}/data"))[3]
    files.pipe_file(some, files.cat_file(some)[:100])
    with pytest.raises(ReleaseError, match=r"1 of \d+ files are missing; .* --shards \d+/\d+"):
        merge([url], url)
    generate_to_store(load_preset("tiny"), url)
    assert contents(fetched(url, tmp_path / "tiny")) == contents(tiny_release)


def test_shares_in_a_store_are_merged_there(url, tiny_release):
    for share in (2, 0):
        assert generate_to_store(load_preset("tiny"), url, shares=Shares(share, share, 3)) is None
    with pytest.raises(ReleaseError, match=r"files are missing; make them with .* --shards"):
        merge([url], url)
    generate_to_store(load_preset("tiny"), url, shares=Shares(1, 1, 3))
    assert merge([url], url) == read_manifest(tiny_release)
    with pytest.raises(ReleaseError, match=r"holds no files of bioreason generate --shards"):
        merge([url + "2"], url + "2")


def test_one_file_at_a_time_is_on_this_disk(url, monkeypatch):
    """Uploads leave nothing behind: a release may be larger than the disk."""
    seen, put = [], stores.Store.put

    def watched(self, path, name):
        put(self, path, name)
        if name.startswith("data/"):
            seen.append(
                [p.name for p in Path(path).parents[len(Path(name).parts) - 1].rglob("*.*")]
            )

    monkeypatch.setattr(stores.Store, "put", watched)
    generate_to_store(load_preset("tiny"), url)
    assert len(seen) > 50
    assert all(len(files) == 1 for files in seen)


@pytest.mark.parametrize(
    ("raised", "error", "says"),
    [
        (PermissionError("Access Denied"), UsageError, r"refused access .*check the credentials"),
        (FileNotFoundError("no bucket"), UsageError, r"does not exist .*make the bucket first"),
        (OSError("QuotaExceeded: full"), BioreasonError, r"no room in .*finished files are kept"),
        (ConnectionError("reset by peer"), BioreasonError, r"failed \(reset by peer\); run the"),
    ],
)
def test_what_a_store_raises_is_one_sentence(raised, error, says):
    with pytest.raises(error, match=says), stores.store_errors("s3://bucket/name"):
        raise raised


# a server of S3 ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    """A real server of S3's protocol on this machine, with one bucket."""
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server")
    running = server.ThreadedMotoServer(port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    address = f"http://{host}:{port}"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_ENDPOINT_URL": address,
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            patch.setenv(name, value)
        fsspec.filesystem("s3").mkdir("bucket")
        yield address
    running.stop()


def test_s3_holds_the_release_of_a_folder(s3, tiny_release, tmp_path):
    generate_to_store(load_preset("tiny"), "s3://bucket/tiny", workers=2)
    assert contents(fetched("s3://bucket/tiny", tmp_path / "tiny")) == contents(tiny_release)


def test_a_bucket_that_does_not_exist_is_named(s3):
    with pytest.raises(UsageError, match=r"s3://nobucket/tiny does not exist"):
        generate_to_store(load_preset("tiny"), "s3://nobucket/tiny", workers=1)


def test_a_server_that_drops_connections_is_named(s3, monkeypatch):
    listener = socket.create_server(("127.0.0.1", 0))

    def drop() -> None:
        while True:
            try:
                listener.accept()[0].close()
            except OSError:
                return

    threading.Thread(target=drop, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{listener.getsockname()[1]}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    with pytest.raises(BioreasonError, match=r"s3://bucket/other failed .*run the same command"):
        generate_to_store(load_preset("tiny"), "s3://bucket/other", workers=1)
    listener.close()
    fsspec.get_filesystem_class("s3").clear_instance_cache()


def test_the_command_line_takes_addresses(cli, url):
    done = cli("generate", "--preset", "tiny", "--workers", "1", "--out", url, "--json")
    assert json.loads(done.stdout)["path"] == url
    wrong = cli("generate", "--preset", "tiny", "--out", url, "--force")
    assert wrong.exit_code == 2
    assert "--force does not go with --out" in wrong.output
    wrong = cli("generate", "--preset", "tiny", "--out", "nosuch://bucket/x")
    assert wrong.exit_code == 2
    assert "nosuch://bucket/x cannot be opened" in wrong.output
