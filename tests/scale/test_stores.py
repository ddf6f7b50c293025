"""Releases in object stores: the rows of a folder, nothing but sentences when the store fails."""

from __future__ import annotations

import json
import socket
import sys
import threading
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from few import SETTINGS, few

fsspec = pytest.importorskip("fsspec")

from bioreason_bench.build import generate_to_store, merge
from bioreason_bench.errors import BioreasonError, ReleaseError, UsageError
from bioreason_bench.release.manifest import read_manifest
from bioreason_bench.scale import store as stores
from bioreason_bench.scale.shares import Shares

pytestmark = pytest.mark.usefixtures("planned_once")


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


def test_a_release_in_a_store_is_that_of_a_folder_card_and_manifest_too(url, few_release, tmp_path):
    generate_to_store(few(), url)
    assert contents(fetched(url, tmp_path / "tiny")) == contents(few_release)
    assert generate_to_store(few(), url) == read_manifest(few_release), "again"
    with pytest.raises(UsageError, match=r"already holds another release"):
        generate_to_store(few(7), url)


def test_an_unfinished_release_of_other_settings_is_not_mixed_in(url):
    generate_to_store(few(), url, shares=Shares(0, 0, 3))
    with pytest.raises(UsageError, match=r"of other settings .* remove everything in mem"):
        generate_to_store(few(7), url)


def test_a_kill_before_the_notes_are_removed_is_repaired(url, few_release, tmp_path, monkeypatch):
    def killed(self, names):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stores.Store, "remove", killed)
        with pytest.raises(KeyboardInterrupt):
            generate_to_store(few(), url)
    assert stores.Store(url).sizes("_unfinished")
    generate_to_store(few(), url)
    assert contents(fetched(url, tmp_path / "tiny")) == contents(few_release)


@pytest.mark.parametrize("head", ["", "[]", "{}", "{"])
def test_a_broken_head_is_named(url, head):
    generate_to_store(few(), url, shares=Shares(0, 0, 3))
    files, root = fsspec.core.url_to_fs(url)
    (path,) = files.glob(f"{root}/_unfinished/*/head.json")
    files.pipe_file(path, head.encode())
    with pytest.raises(ReleaseError, match=r"head\.json is missing or broken; run bioreason gen"):
        merge([url], url)


def test_a_folder_may_be_written_as_an_address(tmp_path, few_release):
    generate_to_store(few(), f"file://{tmp_path}/tiny", workers=2)
    assert contents(tmp_path / "tiny") == contents(few_release)


def test_an_interrupted_run_goes_on_and_makes_only_what_is_missing(
    url, few_release, tmp_path, monkeypatch
):
    made, put = [], stores.Store.put

    def fails_at_ten(self, path, name):
        if len(made) == 10:
            raise BioreasonError("the connection dropped")
        made.append(name)
        put(self, path, name)

    monkeypatch.setattr(stores.Store, "put", fails_at_ten)
    with pytest.raises(BioreasonError, match=r"the connection dropped"):
        generate_to_store(few(), url)
    assert stores.Store(url).read("manifest.json") is None
    monkeypatch.setattr(stores.Store, "put", lambda self, p, n: (made.append(n), put(self, p, n)))
    generate_to_store(few(), url)
    data = [name for name in made if name.startswith("data/")]
    assert len(data) == len(set(data)) == len(read_manifest(few_release)["files"])
    assert contents(fetched(url, tmp_path / "tiny")) == contents(few_release)


def test_a_torn_upload_is_made_again(url, few_release, tmp_path):
    generate_to_store(few(), url, shares=Shares(0, 1, 2))
    files, root = fsspec.core.url_to_fs(url)
    some = sorted(files.find(f"{root}/data"))[3]
    files.pipe_file(some, files.cat_file(some)[:100])
    with pytest.raises(ReleaseError, match=r"1 of \d+ files are missing; .* --shards \d+/\d+"):
        merge([url], url)
    generate_to_store(few(), url)
    assert contents(fetched(url, tmp_path / "tiny")) == contents(few_release)


def test_shares_in_a_store_are_merged_there(url, few_release):
    for share in (2, 0):
        assert generate_to_store(few(), url, shares=Shares(share, share, 3)) is None
    with pytest.raises(ReleaseError, match=r"files are missing; make them with .* --shards"):
        merge([url], url)
    generate_to_store(few(), url, shares=Shares(1, 1, 3))
    assert merge([url], url) == read_manifest(few_release)
    with pytest.raises(ReleaseError, match=r"holds no files of bioreason generate --shards"):
        merge([url + "2"], url + "2")


def test_one_file_at_a_time_is_on_this_disk(url, few_release, monkeypatch):
    """Uploads leave nothing behind: a release may be larger than the disk."""
    seen, put = [], stores.Store.put

    def watched(self, path, name):
        put(self, path, name)
        if name.startswith("data/"):
            seen.append(
                [p.name for p in Path(path).parents[len(Path(name).parts) - 1].rglob("*.*")]
            )

    monkeypatch.setattr(stores.Store, "put", watched)
    generate_to_store(few(), url)
    assert len(seen) == len(read_manifest(few_release)["files"])
    assert all(len(files) == 1 for files in seen)


@pytest.mark.parametrize(
    ("raised", "error", "says"),
    [
        (PermissionError("Access Denied"), UsageError, r"refused access .*check the credentials"),
        (FileNotFoundError("no bucket"), UsageError, r"does not exist .*make the bucket first"),
        (OSError("QuotaExceeded: full"), BioreasonError, r"no room in .*make room, then run"),
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


@pytest.fixture(autouse=True)
def no_remembered_clients():
    """s3fs keeps clients by their options, and would not see another server in the environment."""
    yield
    if "s3fs" in sys.modules:
        fsspec.get_filesystem_class("s3").clear_instance_cache()


def use_server(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """Let clients of S3 talk to this port, once."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    fsspec.get_filesystem_class("s3").clear_instance_cache()


def test_s3_holds_the_release_of_a_folder(s3, few_release, tmp_path):
    generate_to_store(few(), "s3://bucket/tiny", workers=2)
    assert contents(fetched("s3://bucket/tiny", tmp_path / "tiny")) == contents(few_release)


def test_a_bucket_that_does_not_exist_is_named(s3):
    with pytest.raises(UsageError, match=r"s3://nobucket/tiny does not exist"):
        generate_to_store(few(), "s3://nobucket/tiny", workers=1)


def test_a_server_that_drops_connections_is_named(s3, monkeypatch):
    listener = socket.create_server(("127.0.0.1", 0))

    def drop() -> None:
        while True:
            try:
                listener.accept()[0].close()
            except OSError:
                return

    threading.Thread(target=drop, daemon=True).start()
    use_server(monkeypatch, listener.getsockname()[1])
    with pytest.raises(BioreasonError, match=r"s3://bucket/other failed .*run the same command"):
        generate_to_store(few(), "s3://bucket/other", workers=1)
    listener.close()


def test_credentials_that_the_server_does_not_know_are_named(s3):
    """The server asks for the signature of a user that it has; `key` is none."""
    authenticate(s3, "0")
    try:
        with pytest.raises(UsageError, match=r"s3://bucket/mine refused access .* credentials"):
            generate_to_store(few(), "s3://bucket/mine", workers=1)
    finally:
        authenticate(s3, "inf")


def authenticate(server: str, after: str) -> None:
    """Let moto's server check credentials after this many calls."""
    address, plain = f"{server}/moto-api/reset-auth", {"Content-Type": "text/plain"}
    request = urllib.request.Request(address, after.encode(), plain)
    urllib.request.urlopen(request).read()


class Full(BaseHTTPRequestHandler):
    """A server of S3's protocol that is empty and takes nothing more, as MinIO says it."""

    protocol_version = "HTTP/1.1"  # clients ask before they send a body

    def do_GET(self) -> None:
        if "list-type" in self.path:
            self.answer(200, "<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>")
        else:
            self.answer(404, "<Error><Code>NoSuchKey</Code><Message>none</Message></Error>")

    do_HEAD = do_GET  # noqa: N815 - names of the standard library

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        reason = "Storage backend has reached its minimum free drive threshold."
        self.answer(
            507, f"<Error><Code>XMinioStorageFull</Code><Message>{reason}</Message></Error>"
        )

    def answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Write nothing to stderr."""


def test_a_full_store_is_named(s3, monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Full)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    use_server(monkeypatch, server.server_address[1])
    with pytest.raises(BioreasonError, match=r"no room in s3://bucket/full .*minimum free drive"):
        generate_to_store(few(), "s3://bucket/full", workers=1)
    server.shutdown()


def test_the_command_line_takes_addresses(cli, url):
    words = ("generate", "--preset", "tiny", *SETTINGS, "--workers", "1")
    done = cli(*words, "--out", url, "--json")
    assert json.loads(done.stdout)["path"] == url
    wrong = cli("generate", "--preset", "tiny", "--out", url, "--force")
    assert wrong.exit_code == 2
    assert "--force does not go with --out" in wrong.output
    wrong = cli("generate", "--preset", "tiny", "--out", "nosuch://bucket/x")
    assert wrong.exit_code == 2
    assert "nosuch://bucket/x cannot be opened" in wrong.output
